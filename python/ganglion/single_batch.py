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
    training, rule, access = trainer._latest, trainer.loss.value_rule, trainer.model.access
    usual = training is not None and trainer._quick and trainer.model._network is trainer._network
    if training is None or rule is None or not usual or not access.take():
        return None
    try:
        means: Means | None = training.try_step(trainer._context(), x, y, rule)
        return means
    except _native.NonFiniteInputError as error:
        raise ValueError(str(error)) from None
    finally:
        access.give_back()


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
