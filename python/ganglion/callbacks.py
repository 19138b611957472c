"""What may happen at the events of a fit: stopping in time, keeping models, logs, other learning rates."""

from __future__ import annotations

import csv
import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from ganglion import inputs
from ganglion.arguments import no_attribute
from ganglion.events import Callback, LambdaCallback
from ganglion.monitor import Monitor
from ganglion.tensorboard import TensorBoard
from ganglion.watching import Checkpoint, EarlyStopping, Mode, ReduceOnPlateau

if TYPE_CHECKING:
    from ganglion.events import Logs

__all__ = [
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateSchedule",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "Monitor",
    "ReduceLROnPlateau",
    "ReduceOnPlateau",
    "TensorBoard",
]

ELSEWHERE = {
    "TerminateOnNaN": "fit ends by itself, with a TrainingDivergedError, before a step that would make a weight NaN or "
    "infinite",
}


def __getattr__(name: str) -> Any:
    raise no_attribute(__name__, name, __all__, ELSEWHERE.get(name))


class CSVLogger(Callback):
    """Writes a line an epoch to a file: the epoch, from 0, and every value of the history, with all their digits.

    Parameters
    ----------
    path
        The file. Its folder must exist.
    separator
        Between the values: one character.
    append
        Whether to go on after the lines that it has; else the file begins anew.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above; at the beginning of a fit with other columns than the file has.
    OSError
        If the file cannot be written; that ends the fit.

    Examples
    --------
    >>> import numpy as np, tempfile, ganglion as gg
    >>> folder = tempfile.TemporaryDirectory()
    >>> trainer = gg.Trainer(gg.Sequential(gg.Dense(1, kernel_initializer="zeros")), "mse", gg.SGD(0.5))
    >>> log = gg.CSVLogger(folder.name + "/log.csv")
    >>> history = trainer.fit(np.ones((2, 1)), np.ones(2), epochs=2, callbacks=[log], verbose=0)
    >>> print(log.path.read_text(), end="")
    epoch,loss
    0,1.0
    1,1.0
    >>> folder.cleanup()
    """

    def __init__(self, path: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.path = inputs.path("path", path)
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"separator must be one character; given {separator!r}")
        self.separator = separator
        self.append = inputs.flag("append", append)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Write the names of the columns."""
        del logs
        history = self.trainer.history
        names = ["epoch", *(history.history if history is not None else [])]
        if self.append and self.path.exists() and self.path.stat().st_size > 0:
            with self.path.open(newline="", encoding="utf-8") as file:
                there = next(csv.reader(file, delimiter=self.separator))
            if there != names:
                raise ValueError(
                    f"{self.path} has the columns {', '.join(there)}, and this fit reports {', '.join(names)}: "
                    "give another path, or append=False to begin the file anew"
                )
            return
        self._write("w", names)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write a line."""
        self._write("a", [epoch, *(logs or {}).values()])

    def _write(self, mode: Literal["a", "w"], row: list[str] | list[float]) -> None:
        # Opened anew each time: whatever ends the fit, the file is closed and whole.
        with self.path.open(mode, newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.separator, lineterminator="\n").writerow(row)


class LearningRateSchedule(Callback):
    """Sets the learning rate before each epoch: ``rate = function(epoch, rate)``.

    A schedule of steps belongs to the optimizer, where it costs nothing: ``SGD(LinearDecay(0.1, 0.0, steps=1000))``.

    Parameters
    ----------
    function
        Of the epoch, from 0, and the rate so far, or of the epoch alone; gives a number, 0 or more.
    verbose
        Whether to print a line for each epoch.

    Raises
    ------
    TypeError, ValueError
        If it is no such function; in a fit, if its result is no such number.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse", gg.SGD(0.5))
    >>> halve = gg.LearningRateSchedule(lambda epoch, rate: rate / 2 if epoch > 0 else rate)
    >>> history = trainer.fit(np.eye(4), np.ones(4), epochs=3, callbacks=[halve], verbose=0)
    >>> trainer.learning_rate
    0.125
    """

    def __init__(self, function: object, verbose: int = 0) -> None:
        if not callable(function):
            expected = "function must be one of the epoch and the rate, like lambda epoch, rate: 0.9 * rate"
            raise TypeError(f"{expected}; given {function!r}")
        self.function: Callable[..., float] = function
        self.verbose = bool(verbose)
        self._of_epoch_alone = _positional(function) == 1

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Ask the function."""
        del logs
        given = self.function(epoch) if self._of_epoch_alone else self.function(epoch, self.trainer.learning_rate)
        rate = inputs.real(f"the learning rate of epoch {epoch}", given, minimum=0)
        self.trainer.learning_rate = rate
        if self.verbose:
            print(f"epoch {epoch + 1}: learning rate {rate:.6g}")


def _positional(function: Callable[..., object]) -> int:
    """How many arguments it must have by position."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some of C's
        return 2
    takes = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return 2
    return sum(parameter.kind in takes for parameter in parameters)


# Keras's names and arguments

LearningRateScheduler = LearningRateSchedule


class ModelCheckpoint(Checkpoint):
    """`Checkpoint` by Keras's name and arguments; the file is a safetensors file, whatever its name says."""

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: Mode = "auto",
        save_freq: str = "epoch",
    ) -> None:
        inputs.flag("save_weights_only", save_weights_only)  # there is nothing else in a model's file
        if save_freq != "epoch":
            raise ValueError(
                f"save_freq must be 'epoch'; given {save_freq!r}; for steps write on_batch_end of a Callback"
            )
        watched = monitor if save_best_only else None  # nothing depends on it, and Keras does not ask for it then
        super().__init__(filepath, monitor=watched, mode=mode, save_best_only=save_best_only, verbose=verbose)


class ReduceLROnPlateau(ReduceOnPlateau):
    """`ReduceOnPlateau` by Keras's name and arguments."""

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: Mode = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(
            monitor,
            factor=factor,
            patience=patience,
            min_delta=min_delta,
            mode=mode,
            cooldown=cooldown,
            min_rate=min_lr,
            verbose=verbose,
        )
