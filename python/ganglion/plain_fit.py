"""A fit that asks for nothing beside its epochs, on arrays that the core can read as they are: one call of the core."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ganglion import _native
from ganglion.history import History
from ganglion.inputs import LARGEST_COUNT

if TYPE_CHECKING:
    from ganglion.trainer import Trainer

__all__ = ["fit"]

# Of validation_split, callbacks, initial_epoch and verbose. Of these types only: False is 0, and an array has no truth.
NOTHING_ELSE = (0.0, (), 0, 0)
TYPES = [float, tuple, int, int]


def fit(
    trainer: Trainer, x: object, y: object, *others: object, epochs: int, batch_size: int, shuffle: bool
) -> History | None:
    """What `Fitting` would do; None, and no step, where anything is unusual or the trainer has not seen such data yet.

    Parameters
    ----------
    trainer, x, y, epochs, batch_size, shuffle
        As `Trainer.fit` is given them.
    others
        What it is given for `NOTHING_ELSE`.

    Raises
    ------
    ValueError, TrainingDivergedError, KeyboardInterrupt, RuntimeError
        As `Trainer.fit`.
    """
    numbers = type(epochs) is int and type(batch_size) is int and type(shuffle) is bool
    if not numbers or [*map(type, others)] != TYPES or others != NOTHING_ELSE:
        return None
    right = trainer.model.access.right
    if not (0 < epochs <= LARGEST_COUNT and 0 < batch_size <= LARGEST_COUNT) or right.locked():
        return None
    try:
        with right:
            training = trainer._latest
            if training is None or not trainer._quick or trainer.model._network is not trainer._network:
                return None
            return _run(trainer, training, x, y, epochs, batch_size, shuffle)
    except _native.NonFiniteInputError as error:
        raise ValueError(str(error)) from None


def _run(
    trainer: Trainer, training: _native.Training, x: object, y: object, epochs: int, batch_size: int, shuffle: bool
) -> History | None:
    rule = trainer.loss.value_rule
    if rule is None:
        return None
    began, context, names = time.perf_counter(), trainer._context(), trainer.names
    before, epoch = (trainer.history, trainer.stop_training), training.epoch
    history = trainer.history = History(names)
    trainer.stop_training = False
    try:
        report = training.try_epochs(
            context, x, y, rule, batch_size, epochs, shuffle, lambda *_: bool(trainer.stop_training)
        )
        if report is None:
            trainer.history, trainer.stop_training = before
            return None
        history.report = report
        history.extend(names, report.epochs)
        return history
    except _native.NonFiniteInputError:
        trainer.history = before[0]
        raise
    except BaseException:
        missing = training.epoch - epoch - len(history.epoch)
        if missing > 0:
            history.extend(names, training.report.epochs[-missing:])
        raise
    finally:
        history.seconds = time.perf_counter() - began
