"""What a fit tells while it runs, and whom: nobody pays for an event that nobody listens to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ganglion.sequential import Sequential
    from ganglion.trainer import Trainer

    Logs = dict[str, float] | None

__all__ = ["Callback", "Events", "LambdaCallback"]

EPOCH_EVENTS = ("on_epoch_begin", "on_epoch_end")
BATCH_EVENTS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
EVENTS = ("on_train_begin", "on_train_end", *EPOCH_EVENTS, *BATCH_EVENTS)


class Callback:
    """Base of what a fit calls at its events: derive from it and write the methods that you need.

    The epochs of a fit to whose ends nobody listens are one run of the core. Whoever has a method for epochs makes each
    epoch a run; whoever has one for batches makes each step a run, which costs some microseconds a step. The weights
    are the same, bit for bit.

    All that happens between steps: a callback may read the weights, overwrite them, evaluate, predict, save, and set
    ``trainer.learning_rate`` or ``trainer.stop_training``. Callbacks are called in the order in which they are given.
    An exception of one ends the fit, which leaves weights and history as the last step and epoch left them.

    Attributes
    ----------
    trainer : Trainer
        Whose fit it is.
    model : Sequential
        The trainer's.
    params : dict
        ``"epochs"``, where the fit ends, and ``"steps"``, batches of an epoch, None where not known.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> class Largest(gg.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         largest = max(abs(weights).max() for weights in self.model.parameters())
    ...         print(epoch, sorted(logs), largest < 2)
    >>> trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse")
    >>> history = trainer.fit(np.eye(4), np.ones(4), epochs=2, callbacks=[Largest()], verbose=0)
    0 ['loss'] True
    1 ['loss'] True
    """

    trainer: Trainer
    params: Mapping[str, Any]

    @property
    def model(self) -> Sequential:
        """The trainer's model."""
        return self.trainer.model

    def on_train_begin(self, logs: Logs = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs = None) -> None:
        """After the last epoch, also where `stop_training` made it so; not after an exception."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before an epoch; they count from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After an epoch and its validation; `logs` has what the history got: ``{"loss": …, "val_loss": …}``."""

    def on_batch_begin(self, step: int, logs: Logs = None) -> None:
        """Before a step of the epoch, from 0."""

    def on_batch_end(self, step: int, logs: Logs = None) -> None:
        """After a step of the epoch; `logs` has loss and metrics so far, NaN for one that only its end can tell."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Keras's name for `on_batch_begin`."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Keras's name for `on_batch_end`."""
        self.on_batch_end(batch, logs)


class LambdaCallback(Callback):
    """Functions in place of a class of one's own: ``LambdaCallback(on_epoch_end=lambda epoch, logs: …)``.

    Raises
    ------
    TypeError
        If a name is not that of a method of `Callback`, or a value is no function.
    """

    def __init__(self, **functions: Callable[..., object] | None) -> None:
        for name, function in functions.items():
            if name not in EVENTS:
                raise TypeError(f"a callback has no {name!r}; known: {', '.join(EVENTS)}")
            if function is not None and not callable(function):
                raise TypeError(f"{name} must be a function; given {function!r} of type {type(function).__name__}")
            if function is not None:
                setattr(self, name, function)


C = TypeVar("C", bound=Callback)


class Events:
    """The callbacks of one call of `Trainer.fit`, called in the order in which they are given.

    Attributes
    ----------
    any : bool
        Whether there are callbacks.
    epochs, batches : bool
        Whether somebody listens to the ends of epochs, or of batches: a method of `Callback` is listened to where a
        class or object has its own.

    Raises
    ------
    TypeError
        If the callbacks are no list, or one of them is no callback.
    """

    def __init__(self, trainer: Trainer, callbacks: object) -> None:
        if not isinstance(callbacks, (list, tuple)):
            raise TypeError(f"callbacks must be a list, like [EarlyStopping(patience=3)]; given {callbacks!r}")
        self._model = trainer.model
        self._callbacks = tuple(_callback(i, callback) for i, callback in enumerate(callbacks))
        self.any = bool(self._callbacks)
        self.epochs = self._listened(EPOCH_EVENTS)
        self.batches = self._listened(BATCH_EVENTS)

    def _listened(self, events: Iterable[str]) -> bool:
        return any(_has_its_own(callback, event) for callback in self._callbacks for event in events)

    def of(self, kind: type[C]) -> list[C]:
        """Those of this class."""
        return [callback for callback in self._callbacks if isinstance(callback, kind)]

    def introduce(self, trainer: Trainer, params: dict[str, Any]) -> None:
        """Tell the callbacks whose they are now."""
        for callback in self._callbacks:
            callback.trainer, callback.params = trainer, params

    def call(self, event: str, *numbers: int, **logs: float) -> None:
        """Call this method of each; they may evaluate the model and overwrite its weights. Exceptions pass."""
        if self._callbacks:
            with self._model.open_to_callbacks():
                for callback in self._callbacks:
                    getattr(callback, event)(*numbers, logs)


def _callback(index: int, given: object) -> Callback:
    if isinstance(given, Callback):
        return given
    expected = f"callbacks[{index}] must be a Callback or a function f(epoch, logs) for the ends of epochs"
    if isinstance(given, type):
        remedy = f"write {given.__name__}()" if issubclass(given, Callback) else "derive it from ganglion.Callback"
        raise TypeError(f"{expected}; given the class {given.__name__} itself: {remedy}")
    if callable(given):
        return LambdaCallback(on_epoch_end=given)
    remedy = "derive its class from ganglion.Callback" if hasattr(given, "on_epoch_end") else ""
    raise TypeError(f"{expected}; given {given!r} of type {type(given).__name__}{remedy and ': '}{remedy}")


def _has_its_own(callback: Callback, event: str) -> bool:
    return event in vars(callback) or getattr(type(callback), event) is not getattr(Callback, event)
