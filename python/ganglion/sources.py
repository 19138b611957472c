"""What a fit goes through: arrays, in the core's order, or an iterable of batches, in its own."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ganglion import _native, frames, weights
from ganglion.read_ahead import ReadAhead
from ganglion.rows import Rows, checked

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganglion.trainer import Trainer

    Stop = Callable[[int, int, float, tuple[float, ...]], bool]

__all__ = ["Arrays", "Batches", "Source", "Step", "is_iterable_of_batches"]


class Step(NamedTuple):
    """How far an epoch has come, and the means of loss and metrics so far: NaN where only its end will tell."""

    rows: int
    means: tuple[float, ...]


class Source(ABC):
    """The data of one fit.

    Attributes
    ----------
    rows, steps : int or None
        Of an epoch, where known before its end.
    training
        The core's side of the training, which holds moments and counters; None before the first batch.
    report
        What the core says of the latest run.
    means
        Of the epoch that was the last to come to its end step by step.
    every
        Steps from one look of a monitor to the next; 0: there is none.
    """

    rows: int | None
    steps: int | None
    training: _native.Training | None = None
    report: _native.Report | None = None
    means: tuple[float, ...] = ()
    every: int = 0

    @abstractmethod
    def begin(self, first_epoch: int) -> None:
        """Drop what is left of an epoch; go on with the shuffles of epoch `first_epoch`, unless it is 0."""

    @abstractmethod
    def steps_of(self, epoch: int, before: Callable[[int], None]) -> Generator[Step]:
        """Make the steps of an epoch one by one, each after a call of `before` with its index.

        Exhausted, the epoch has ended; closed before, it has not.
        """


class Arrays(Source):
    """Rows that lie in memory, or in a file that is mapped into it."""

    def __init__(self, trainer: Trainer, data: Rows, batch_size: int, shuffle: bool) -> None:
        self.training: _native.Training = trainer._training(data)
        self.rows: int = len(data.x)
        self.batch_size = min(batch_size, self.rows)
        self.steps: int = math.ceil(self.rows / self.batch_size)
        self._shuffle = shuffle
        self._feed = data.feed()
        self._schedule = trainer.optimizer.schedule
        self._context = trainer._context()

    def begin(self, first_epoch: int) -> None:
        """Begin a new epoch."""
        self.training.watch(self.every)
        self.training.begin_epoch()
        if first_epoch > 0:
            self.training.set_epoch(first_epoch)

    def run(self, epochs: int, stop: Stop) -> _native.Report:
        """Make epochs in one run of the core."""
        self.report = self._run(self.steps * epochs, stop)
        return self.report

    def steps_of(self, epoch: int, before: Callable[[int], None]) -> Generator[Step]:
        """The same, a step at a time."""
        del epoch
        for step in range(1, self.steps + 1):
            before(step - 1)
            self.report = self._run(1, None)
            if step == self.steps:
                self.means = tuple(self.report.epochs[-1].tolist())
            yield Step(min(step * self.batch_size, self.rows), self.report.running or self.means)

    def _run(self, steps: int, stop: Stop | None) -> _native.Report:
        self._schedule.prepare(self.training, steps)
        return self.training.run(
            self._context, self._feed, batch_size=self.batch_size, steps=steps, shuffle=self._shuffle, stop=stop
        )


class Batches(Source):
    """An iterable of batches (x, y) or (x, y, sample_weight), read ahead in a thread. A batch is a step."""

    def __init__(self, trainer: Trainer, batches: Any, epochs: int, class_weight: object) -> None:
        if epochs > 1 and isinstance(batches, Iterator):
            raise ValueError(
                f"x is a {type(batches).__name__}, which can be gone through only once, and {epochs} epochs were asked "
                "for: give an object whose __iter__ begins anew, or call fit once for each epoch with a new one"
            )
        self._trainer = trainer
        self._batches = batches
        self._class_weight = class_weight
        self._context = trainer._context()
        self.rows: int | None = None
        self.steps: int | None = len(batches) if hasattr(batches, "__len__") else None
        self._first_epoch: int | None = None

    def begin(self, first_epoch: int) -> None:
        """Remember it until the first batch."""
        self._first_epoch = first_epoch

    def steps_of(self, epoch: int, before: Callable[[int], None]) -> Generator[Step]:
        """A step for each batch."""
        made = rows = 0
        at: int | None = None  # the epoch, as the trainer counts
        try:
            with ReadAhead(self._read(epoch)) as batches:
                for batch, last in _known_last(batches) if self._trainer.accumulate > 1 else _unknown_last(batches):
                    training = self._take(self._trainer._training(batch))
                    if at is None:
                        at = self._begin_epoch(training)
                    before(made)
                    self.report = self._step(epoch, made, batch, last)
                    made += 1
                    rows += len(batch.x)
                    yield Step(rows, self.report.running)
            if at is None:
                raise ValueError(
                    f"x gave no batch in epoch {epoch}; an iterator that has been gone through gives nothing more"
                )
            assert self.training is not None
            self.means = self.training.end_epoch()
            at += 1
            self.rows, self.steps = rows, made
        finally:
            if self.training is not None and at is not None:
                self.training.begin_epoch()
                self.training.set_epoch(at)

    def _take(self, training: _native.Training) -> _native.Training:
        if self.training is not training:
            training.watch(self.every)
            self.training = training
        return training

    def _begin_epoch(self, training: _native.Training) -> int:
        training.begin_epoch()
        if self._first_epoch:
            training.set_epoch(self._first_epoch)
        self._first_epoch = None
        return training.epoch

    def _step(self, epoch: int, index: int, batch: Rows, last: bool) -> _native.Report:
        assert self.training is not None
        self._trainer.optimizer.schedule.prepare(self.training, 1)
        try:
            return self.training.run(
                self._context, batch.feed(), batch_size=len(batch.x), steps=1, shuffle=False, part=True, last=last
            )
        except _native.NonFiniteInputError as error:
            raise ValueError(_in_batch(epoch, index, error)) from None

    def _checked(self, x: object, y: object, sample_weight: object) -> Rows:
        model = self._trainer.model
        rows = checked(model, self._trainer.loss, x, y)
        rows = weights.by_row(rows, sample_weight, model.dtype)
        model.build((rows.x.shape[1],))
        return weights.by_class(rows, self._class_weight, model)

    def _read(self, epoch: int) -> Iterator[Rows]:
        """Batches as the core takes them: this runs in the thread that reads ahead."""
        batches = _iterator(self._batches)
        index = 0
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                return
            except Exception as error:
                error.add_note(f"raised by x, the iterable of batches, when asked for batch {index} of epoch {epoch}")
                raise
            try:
                rows = self._checked(*_parts(batch))
            except (TypeError, ValueError) as error:
                kind = TypeError if isinstance(error, TypeError) else ValueError
                raise kind(_in_batch(epoch, index, error)) from None
            yield rows
            index += 1


def _unknown_last(batches: Iterable[Rows]) -> Iterator[tuple[Rows, bool]]:
    return ((batch, False) for batch in batches)


def _known_last(batches: Iterable[Rows]) -> Iterator[tuple[Rows, bool]]:
    """Each with whether it is the last, which its successor tells; an error comes after what was there before it."""
    waiting: Rows | None = None
    ahead = iter(batches)
    while True:
        try:
            batch = next(ahead)
        except BaseException as end:
            if waiting is not None:
                yield waiting, isinstance(end, StopIteration)
            if isinstance(end, StopIteration):
                return
            raise
        if waiting is not None:
            yield waiting, False
        waiting = batch


def is_iterable_of_batches(x: object, y: object) -> bool:
    """Whether x is no array but gives batches: a generator, a loader of another library, a list of tuples without y."""
    if isinstance(x, (np.ndarray, np.generic, str, bytes, dict)) or hasattr(x, "__array__") or frames.is_table(x):
        return False
    if hasattr(x, "toarray"):  # a sparse matrix, which iterates over its rows
        return False
    if isinstance(x, (list, tuple)):
        return y is None and len(x) > 0 and all(isinstance(batch, tuple) for batch in x)
    return hasattr(x, "__iter__") or (hasattr(x, "__len__") and hasattr(x, "__getitem__"))


def _iterator(batches: Any) -> Iterator[Any]:
    if hasattr(batches, "__iter__"):
        return iter(batches)
    return (batches[i] for i in range(len(batches)))


def _parts(batch: object) -> tuple[object, object, object]:
    expected = "a batch must be (x, y) or (x, y, sample_weight)"
    if not isinstance(batch, (tuple, list)):
        raise TypeError(f"{expected}; given {type(batch).__name__}")
    if len(batch) not in (2, 3):
        raise ValueError(f"{expected}; given a {type(batch).__name__} of length {len(batch)}")
    return batch[0], batch[1], batch[2] if len(batch) == 3 else None


def _in_batch(epoch: int, index: int, error: Exception) -> str:
    return f"batch {index} of epoch {epoch}: {error}"
