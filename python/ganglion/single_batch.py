"""One step on one batch: quickly where the core can read it as it is, else by the way that every other data takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganglion import _native
from ganglion.rows import checked

if TYPE_CHECKING:
    from ganglion.trainer import Trainer

    Means = tuple[float, ...]  # loss and metrics

__all__ = ["step"]


def step(trainer: Trainer, x: object, y: object) -> Means:
    """Make a step of no epoch; loss and metrics before it."""
    means = quick_step(trainer, x, y)
    return careful_step(trainer, x, y) if means is None else means


def quick_step(trainer: Trainer, x: object, y: object) -> Means | None:
    """A step by way of nothing that would outlast a small one; None, and no step, where anything is unusual."""
    rule, right = trainer.loss.value_rule, trainer.model.access.right
    if rule is None or right.locked():
        return None
    try:
        with right:
            training = trainer._latest
            if training is None or not trainer._quick or trainer.model._network is not trainer._network:
                return None
            means: Means | None = training.try_step(trainer._context(), x, y, rule)
            return means
    except _native.NonFiniteInputError as error:
        raise ValueError(str(error)) from None


def careful_step(trainer: Trainer, x: object, y: object) -> Means:
    """A step on what `fit` would take, or the errors that it would raise."""
    with trainer._alone("train_on_batch"):
        data = checked(trainer.model, trainer.loss, x, y)
        training = trainer._training(data)
        training.begin_epoch()
        epoch = training.epoch
        trainer.optimizer.schedule.prepare(training, 1)
        try:
            report = training.run(trainer._context(), data.feed(), batch_size=len(data.x), steps=1, shuffle=False)
        finally:
            training.set_epoch(epoch)
        return tuple(report.epochs[-1].tolist())
