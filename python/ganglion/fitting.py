"""The loop over epochs: one run of the core for all whose ends nobody waits for, else a run an epoch or a step."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from ganglion import _native
from ganglion.monitor import Monitor
from ganglion.schedules import Sampled
from ganglion.sources import Arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganglion.events import Events
    from ganglion.history import History
    from ganglion.progress import Progress
    from ganglion.rows import Rows
    from ganglion.sources import Source
    from ganglion.trainer import Trainer

    Means = NDArray[np.float64]  # (epochs, 1 + metrics)

__all__ = ["Fitting"]


class Fitting:
    """One call of `Trainer.fit`, with all that it was asked for checked.

    Parameters
    ----------
    trainer
        Whose model it trains.
    source
        What it goes through.
    first, epochs
        The first epoch and the one to end before.
    validation
        What to evaluate after each epoch.
    events
        Whom to tell.
    progress
        What a person sees.
    history
        Where each epoch goes as soon as it has ended.
    """

    def __init__(
        self,
        trainer: Trainer,
        source: Source,
        *,
        first: int,
        epochs: int,
        validation: Rows | None,
        events: Events,
        progress: Progress | None,
        history: History,
    ) -> None:
        self.trainer, self.source = trainer, source
        self.first, self.epochs = first, epochs
        self.events, self.progress, self.history = events, progress, history
        self.names = tuple(trainer._names)
        self.heard = events.any
        self.validation = None if validation is None else (trainer._evaluation(validation), validation.feed())
        self.monitor = next(iter(events.of(Monitor)), None)
        if self.monitor is not None:
            self.monitor.begin()
            source.every = self.monitor.every
            history.looks = self.monitor.looks
        waited_for = validation is not None or events.epochs or events.batches
        # A schedule of one's own is asked for the rates of a run before it.
        asked_before = isinstance(trainer.optimizer.schedule, Sampled)
        self.one_by_one = waited_for or asked_before or not isinstance(source, Arrays)
        self.run_began = (0, 0.0)  # the latest run of the core: after so many of the training's epochs, and when

    def run(self) -> None:
        """Train, from the first epoch's beginning to the last one's end, or until somebody has it stop.

        NaN or infinity in arrays leaves weights and moments as they were.
        """
        training = self.source.training
        if training is not None:
            training.keep()
        self.events.introduce(self.trainer, {"epochs": self.epochs, "steps": self.source.steps})
        self.source.begin(self.first)
        before = training.epoch if training is not None else 0
        try:
            self._run()
        except BaseException as error:
            self._catch_up(before)
            if training is not None and isinstance(error, _native.NonFiniteInputError):
                training.go_back()
            raise
        finally:
            self._look()
            if self.source.training is not None:
                self.source.training.watch(0)
            if training is not None:
                training.let_go()

    def _look(self) -> None:
        if self.monitor is not None and self.source.training is not None:
            self.monitor.look(self.source.training)

    def _catch_up(self, before: int) -> None:
        """Add the epochs that the core has finished and the history lacks, but for one that was not validated."""
        if not isinstance(self.source, Arrays) or self.validation is not None:
            return
        training = self.source.training
        missing = training.epoch - before - len(self.history.epoch)
        if 0 < missing <= len(training.report.epochs):
            self._record(training.report.epochs[-missing:], time.perf_counter() - self.run_began[1])

    def _run(self) -> None:
        self.events.call("on_train_begin")
        last: dict[str, float] = {}
        epoch = self.first
        while epoch < self.epochs:
            if not self.trainer.stop_training and self.events.epochs:
                self.events.call("on_epoch_begin", epoch)
            if self.trainer.stop_training:
                break
            began = time.perf_counter()
            epochs = self._train(epoch, self._at_once(epoch))
            seconds = time.perf_counter() - began
            if len(epochs) == 0:
                break
            self._look()
            last = self._record(epochs, seconds)
            if self.events.epochs:
                self.events.call("on_epoch_end", epoch, **last)
            epoch += len(epochs)
        self.events.call("on_train_end", **last)

    def _at_once(self, epoch: int) -> int:
        if self.one_by_one:
            return 1
        left = self.epochs - epoch
        return left if self.progress is None else min(left, self.progress.epochs_at_once())

    def _train(self, epoch: int, count: int) -> Means:
        """So many epochs from this one on: the means of those that were finished."""
        if isinstance(self.source, Arrays) and not self.events.batches:
            return self._train_at_once(self.source, count)
        with closing(self.source.steps_of(epoch, self._before_step)) as steps:
            for index, step in enumerate(steps):
                if self.progress is not None:
                    self.progress.show(step.rows, step.means)
                if self.events.batches:
                    self.events.call("on_train_batch_end", index, **dict(zip(self.names, step.means, strict=True)))
                if self.trainer.stop_training and index + 1 != self.source.steps:
                    return np.empty((0, len(self.names)))
        self.history.report = self.source.report
        return np.array([self.source.means])

    def _before_step(self, index: int) -> None:
        if self.events.batches:
            self.events.call("on_train_batch_begin", index)

    def _train_at_once(self, source: Arrays, count: int) -> Means:
        self.run_began = (source.training.epoch, time.perf_counter())
        report = source.run(count, self._stop)
        self.history.report = report
        return report.epochs

    def _stop(self, epoch: int, step: int, loss: float, metrics: tuple[float, ...]) -> bool:
        """What the core asks about every 50 ms."""
        if self.progress is not None:
            self.progress.stop(epoch - self.run_began[0], step, loss, metrics)
        return self.trainer.stop_training or any(part._failed is not None for part in self.trainer._custom)

    def _record(self, epochs: Means, trained_seconds: float) -> dict[str, float]:
        """Validate, add to the history, and give the last epoch's values to those who listen."""
        names = self.names
        if self.validation is not None:
            measured = self.trainer._measure(*self.validation)
            names = (*names, *(f"val_{name}" for name in measured))
            epochs = np.append(epochs, [list(measured.values())], axis=1)
        self.history.extend(names, epochs)
        if self.progress is not None:
            self.progress.end_epochs(names, epochs, trained_seconds, self.source.rows)
        return dict(zip(names, epochs[-1].tolist(), strict=True)) if self.heard else {}
