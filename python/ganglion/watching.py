"""Callbacks that look at one value of the history and ask whether it has become better."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ganglion import inputs
from ganglion.arguments import known_arguments
from ganglion.events import Callback

if TYPE_CHECKING:
    from ganglion.events import Logs
    from ganglion.inputs import Array

__all__ = ["Checkpoint", "EarlyStopping", "Mode", "ReduceOnPlateau"]

Mode = Literal["auto", "min", "max"]
# Words in the names of values that say which way is better.
HIGHER_IS_BETTER = frozenset({"accuracy", "acc", "precision", "recall", "f1", "auc", "r2"})
LOWER_IS_BETTER = frozenset({"loss", "error", "mse", "mae", "rmse", "entropy", "crossentropy", "huber"})
FOLDER_ENDS = ("/", os.sep)


def _sign(monitor: str, mode: Mode) -> int:
    """1 where more is better, −1 where less is."""
    if mode != "auto":
        return 1 if mode == "max" else -1
    words = set(monitor.lower().split("_"))
    if words & HIGHER_IS_BETTER:
        return 1
    if words & LOWER_IS_BETTER:
        return -1
    raise ValueError(f"nothing is known of {monitor!r}: say whether less or more of it is better, mode='min' or 'max'")


class _Watcher(Callback):
    """What looks at one value of the logs: which, and whether it has become better."""

    def __init__(self, monitor: str | None, mode: Mode, min_delta: float, verbose: int) -> None:
        if monitor is not None and not isinstance(monitor, str):
            raise TypeError(
                f"monitor must be a name like 'val_loss'; given {monitor!r} of type {type(monitor).__name__}"
            )
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode must be 'auto', 'min' or 'max'; given {mode!r}")
        self.monitor, self.mode = monitor, mode
        self.min_delta = inputs.real("min_delta", min_delta, minimum=0)
        self.verbose = bool(verbose)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Look whether there will be such a value, and forget the fit before."""
        del logs
        self.watched = self._watched()
        self._sign = _sign(self.watched, self.mode)
        self.best = -self._sign * math.inf

    def _watched(self) -> str:
        history = self.trainer.history
        names = list(history.history) if history is not None else []
        if self.monitor is None:
            return "val_loss" if "val_loss" in names else "loss"
        if self.monitor not in names:
            remedy = "give it validation_data or validation_split, or watch one of these"
            if not self.monitor.startswith("val_") or any(name.startswith("val_") for name in names):
                remedy = "watch one of these, or add it to the trainer's metrics"
            raise ValueError(
                f"{type(self).__name__} watches {self.monitor!r}, but this fit reports {', '.join(names)}: {remedy}"
            )
        return self.monitor

    def _improves(self, value: float) -> bool:
        """Whether it is better than the best so far by more than min_delta; it is the best then."""
        better = self._sign * (value - self.best) > self.min_delta
        if better:
            self.best = value
        return better

    def _say(self, epoch: int, text: str) -> None:
        if self.verbose:
            print(f"epoch {epoch + 1}: {text}")


class EarlyStopping(_Watcher):
    """Ends the fit when a value has stopped getting better, and goes back to the weights it was best with.

    It goes back also where the fit came to its end by itself. The optimizer's moments are not taken back.

    Parameters
    ----------
    monitor
        Which value: a name of the history.
    patience
        So many epochs in a row without improvement end the fit; 0 and 1 both mean the first.
    min_delta
        What must be gained to count as an improvement.
    mode
        Whether ``"min"`` or ``"max"`` is better; ``"auto"`` knows losses, errors and the metrics.
    baseline
        What must be improved on from the beginning.
    restore_best_weights
        Whether to go back.
    start_from_epoch
        The epoch to begin looking at.
    verbose
        Whether to print a line when it stops or goes back.

    Attributes
    ----------
    best : float
        The best value.
    best_epoch : int or None
        Its epoch.
    stopped_epoch : int or None
        The epoch that ended the fit; None if it was not ended.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of bounds; at the beginning of a fit that does not report the value.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> x, y = np.linspace(-1, 1, 64)[:, None], np.linspace(-2, 2, 64)
    >>> trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse", gg.SGD(0.4))
    >>> stopping = gg.EarlyStopping(patience=3, min_delta=1e-6)
    >>> history = trainer.fit(x, y, epochs=1000, validation_data=(x, y), callbacks=[stopping], verbose=0)
    >>> len(history.epoch) == stopping.best_epoch + 1 + 3 < 100
    True
    """

    @known_arguments()
    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        patience: int = 0,
        min_delta: float = 0.0,
        mode: Mode = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = True,
        start_from_epoch: int = 0,
        verbose: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta, verbose)
        self.patience = inputs.integer("patience", patience, minimum=0)
        self.baseline = None if baseline is None else inputs.real("baseline", baseline)
        self.restore_best_weights = inputs.flag("restore_best_weights", restore_best_weights)
        self.start_from_epoch = inputs.integer("start_from_epoch", start_from_epoch, minimum=0)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Forget the fit before."""
        super().on_train_begin(logs)
        if self.baseline is not None:
            self.best = self.baseline
        self.best_epoch: int | None = None
        self.stopped_epoch: int | None = None
        self._waited = 0
        self._weights: list[Array] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Keep the weights, or lose patience."""
        if epoch < self.start_from_epoch:
            return
        if self._improves((logs or {})[self.watched]):
            self.best_epoch, self._waited = epoch, 0
            if self.restore_best_weights:
                self._weights = self.model.get_weights()
            return
        self._waited += 1
        if self._waited >= self.patience:
            self.stopped_epoch = epoch
            self.trainer.stop_training = True
            self._say(epoch, f"stopped, as {self.watched} has not improved on {self.best:.6g}")

    def on_train_end(self, logs: Logs = None) -> None:
        """Go back to the best weights."""
        del logs
        if self._weights is not None and self._waited > 0 and self.best_epoch is not None:
            self.model.set_weights(self._weights)
            self._say(self.best_epoch, f"back to its weights, {self.watched} {self.best:.6g}")
        self._weights = None


class Checkpoint(_Watcher):
    """Writes the model to a file after each epoch, whole or not at all; `ganglion.load` reads it.

    Parameters
    ----------
    path
        A folder, which is made: ``last.safetensors`` is the latest epoch's model and ``best.safetensors`` the best
        one's. A file: it is replaced after each epoch. A file with fields, like
        ``"run/{epoch:03d}-{val_loss:.3f}.safetensors"``: a file each, the epochs counting from 1 here. A path without a
        suffix is a folder.
    monitor
        By which value a model is the best; by default ``"val_loss"``, or ``"loss"`` where nothing is validated.
    mode
        Whether ``"min"`` or ``"max"`` is better; ``"auto"`` knows losses, errors and the metrics.
    save_best_only
        Whether to write the best models alone.
    verbose
        Whether to print a line for each file.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of bounds; at the beginning of a fit that does not report a value.
    OSError
        If a file cannot be written; that ends the fit.

    Examples
    --------
    >>> import numpy as np, tempfile, ganglion as gg
    >>> folder = tempfile.TemporaryDirectory()
    >>> trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse")
    >>> keep = gg.Checkpoint(folder.name)
    >>> history = trainer.fit(np.eye(4), np.ones(4), epochs=2, callbacks=[keep], verbose=0)
    >>> model = gg.load(folder.name + "/last.safetensors")
    >>> bool((model.predict(np.eye(4)) == trainer.predict(np.eye(4))).all())
    True
    >>> folder.cleanup()
    """

    @known_arguments()
    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        monitor: str | None = None,
        mode: Mode = "auto",
        save_best_only: bool = False,
        verbose: int = 0,
    ) -> None:
        super().__init__(monitor, mode, 0.0, verbose)
        self.path = inputs.path("path", path)
        self._is_folder = str(path).endswith(FOLDER_ENDS) or not (self.path.suffix or "{" in self.path.name)
        self.save_best_only = inputs.flag("save_best_only", save_best_only)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Make the folder."""
        super().on_train_begin(logs)
        self._folder = self._is_folder or self.path.is_dir()
        if not self._folder and self.trainer.history is not None:
            self._file(0, dict.fromkeys(self.trainer.history.history, 0.0))
        (self.path if self._folder else self.path.parent).mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write what is to be written."""
        values = logs or {}
        best = self._improves(values[self.watched])
        if self._folder:
            if not self.save_best_only:
                self._save(epoch, self.path / "last.safetensors")
            if best:
                self._save(epoch, self.path / "best.safetensors")
        elif best or not self.save_best_only:
            self._save(epoch, self._file(epoch, values))

    def _save(self, epoch: int, path: Path) -> None:
        self.model.save(path)
        self._say(epoch, f"written to {path}")

    def _file(self, epoch: int, values: Mapping[str, float]) -> Path:
        try:
            return Path(str(self.path).format(epoch=epoch + 1, **values))
        except (KeyError, IndexError, ValueError) as error:
            known = ", ".join(f"{{{name}}}" for name in ("epoch", *values))
            raise ValueError(f"path {str(self.path)!r} may hold the fields {known}; given another ({error})") from None


class ReduceOnPlateau(_Watcher):
    """Lowers the learning rate when a value has stopped getting better.

    Parameters
    ----------
    monitor
        Which value: a name of the history.
    factor
        In (0, 1): what the rate is multiplied by.
    patience
        So many epochs in a row without improvement lower it; 0 and 1 both mean the first.
    min_delta
        What must be gained to count as an improvement.
    mode
        Whether ``"min"`` or ``"max"`` is better; ``"auto"`` knows losses, errors and the metrics.
    cooldown
        Epochs after a reduction that do not count.
    min_rate
        Where the rate ends.
    verbose
        Whether to print a line for each reduction.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of bounds; at the beginning of a fit that does not report the value.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse", gg.SGD(0.125))
    >>> reduce = gg.ReduceOnPlateau("loss", factor=0.5, patience=1, min_delta=100.0)  # never so much
    >>> history = trainer.fit(np.eye(4), np.ones(4), epochs=4, callbacks=[reduce], verbose=0)
    >>> trainer.learning_rate  # after the second, third and fourth epoch
    0.015625
    """

    @known_arguments()
    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        mode: Mode = "auto",
        cooldown: int = 0,
        min_rate: float = 0.0,
        verbose: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta, verbose)
        self.factor = inputs.real("factor", factor, above=0, below=1)
        self.patience = inputs.integer("patience", patience, minimum=0)
        self.cooldown = inputs.integer("cooldown", cooldown, minimum=0)
        self.min_rate = inputs.real("min_rate", min_rate, minimum=0)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Forget the fit before."""
        super().on_train_begin(logs)
        self._waited = self._cooling = 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Lower the rate where it is time."""
        if self._improves((logs or {})[self.watched]) or self._cooling > 0:
            self._waited = 0
            self._cooling = max(0, self._cooling - 1)
            return
        self._waited += 1
        rate = self.trainer.learning_rate
        lower = max(rate * self.factor, self.min_rate)
        if self._waited >= self.patience and lower < rate:
            self.trainer.learning_rate = lower
            self._waited, self._cooling = 0, self.cooldown
            self._say(epoch, f"learning rate {lower:.6g}, as {self.watched} has not improved on {self.best:.6g}")
