"""Training: what to minimise and how, on what data; the core does the work, whole epochs in one call."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Never

from ganglion import _native, inputs, machine, plain_fit, preflight, single_batch, uncopied, weights
from ganglion.arguments import known_arguments
from ganglion.custom import Fallible, as_loss, raising_failures
from ganglion.events import Callback, Events
from ganglion.fitting import Fitting
from ganglion.history import History
from ganglion.losses import Loss
from ganglion.metrics import METRICS, Metric
from ganglion.optimizers import OPTIMIZERS, Optimizer
from ganglion.progress import Progress, style
from ganglion.rows import Rows, checked
from ganglion.schedules import Sampled
from ganglion.sources import Arrays, Batches, Source, is_iterable_of_batches
from ganglion.validation import split, validate_batches

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array
    from ganglion.sequential import Sequential

__all__ = ["Trainer"]


class Trainer(uncopied.Uncopied):
    """Minimises a loss over a model's weights.

    Moments, step and epoch live as long as the trainer: fitting twice for one epoch is the same, bit for bit, as once
    for two. The results depend on the seed alone, on neither threads nor kernel set.

    Parameters
    ----------
    model
        What to train. Several trainers may share one, one at a time.
    loss
        A name like ``"mse"``, an object of ``ganglion.losses``, or f(y_pred, y_true) -> (loss of each row, derivative).
    optimizer
        ``"adam"``, ``"sgd"``, or an object like ``Adam(1e-3)``.
    metrics
        What to report beside the loss: a list like ``["accuracy"]``.
    accumulate
        How many batches make one step of the optimizer, from 1: the mean of their gradients is what the optimizer, and
        its clipping, sees. The batches that an epoch leaves over make a step of their own, from their mean. Learning
        rates count steps of the optimizer.
    threads
        1 … 1024, the number of threads of the team. By default training chooses it by timing a few steps, and
        evaluation and prediction take as many as the work is worth: at most what OMP_NUM_THREADS, the process's CPUs
        and its cgroup's quota allow. The bits are the same.

    Attributes
    ----------
    history : History or None
        Of the latest `fit`, also of one that Ctrl-C, a `TrainingDivergedError` or a callback's exception ended: with
        the epochs that were finished before.
    stop_training : bool
        Set to True, by a callback or another thread, it ends the `fit` after its next step. An epoch under way is then
        not in the history.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, out of bounds or an unknown name.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    >>> y = np.array([0, 1, 1, 0])
    >>> model = gg.Sequential(gg.Dense(16, activation="tanh"), gg.Dense(2), seed=1)
    >>> trainer = gg.Trainer(model, "cross_entropy", gg.Adam(0.05), metrics=["accuracy"])
    >>> history = trainer.fit(x, y, epochs=200, verbose=0)
    >>> model.predict_classes(x)
    array([0, 1, 1, 0])
    >>> trainer.evaluate(x, y)["accuracy"]
    1.0
    """

    @known_arguments(
        {
            "seed": "it is the model's: Sequential(…, seed=1)",
            **{name: f"it is fit's: fit(x, y, {name}=…)" for name in ("epochs", "batch_size", "callbacks", "shuffle")},
        }
    )
    def __init__(
        self,
        model: Sequential,
        loss: str | Loss | Callable[[Array, Array], tuple[Array, Array]],
        optimizer: str | Optimizer = "adam",
        metrics: Sequence[str | Metric] = (),
        *,
        accumulate: int = 1,
        threads: int | None = None,
    ) -> None:
        from ganglion.sequential import Sequential

        if not isinstance(model, Sequential):
            raise TypeError(f"model must be a Sequential; given {model!r} of type {type(model).__name__}")
        if not isinstance(metrics, (list, tuple)):
            raise TypeError(f"metrics must be a list, like ['accuracy']; given {metrics!r}")
        self.model = model
        self.loss: Loss = as_loss(loss)
        self.optimizer: Optimizer = OPTIMIZERS.find("optimizer", optimizer)
        self.metrics: tuple[Metric, ...] = tuple(METRICS.find("metric", metric) for metric in metrics)
        self.accumulate = inputs.integer("accumulate", accumulate, minimum=1, maximum=inputs.LARGEST_COUNT)
        self.threads = machine.team(threads)
        self.history: History | None = None
        self.stop_training = False
        self._names = ["loss", *(metric.key for metric in self.metrics)]
        if len(set(self._names)) != len(self._names):
            raise ValueError(f"metrics must not repeat; given {metrics!r}")
        # One for each kind of targets seen; the one that trained last holds the moments and counters.
        self._trainings: dict[str, _native.Training] = {}
        self._latest: _native.Training | None = None
        custom = [part for part in (self.loss, *self.metrics, *model.layers) if isinstance(part, Fallible)]
        self._custom = tuple(custom)
        # Whether a step needs nothing from Python before or after it.
        self._quick = not custom and not isinstance(self.optimizer.schedule, Sampled)
        self._given_rate: float | None = None  # until there is a training to keep it

    @property
    def names(self) -> tuple[str, ...]:
        """What is reported: ``"loss"``, then the metrics."""
        return tuple(self._names)

    def rename(self, metrics: Sequence[str | None]) -> None:
        """Let history and results call the metrics so; None leaves a name as it is."""
        self._names[1:] = [name or own for name, own in zip(metrics, self._names[1:], strict=True)]

    def __repr__(self) -> str:
        metrics = [metric.key for metric in self.metrics]
        accumulate = f"accumulate={self.accumulate}, " if self.accumulate > 1 else ""
        shown = f"{self.model!r}, {self.loss!r}, {self.optimizer!r}, metrics={metrics}"
        return f"Trainer({shown}, {accumulate}threads={self.threads})"

    @property
    def learning_rate(self) -> float:
        """The rate of the next step.

        Set to a number, at least 0, it is the rate of all steps from then on, whatever the schedule says; set to None,
        the schedule's holds again. It is part of the state of training, and can be set before and after `fit` and at
        the ends of its epochs; while the core makes steps that is a RuntimeError.

        Examples
        --------
        >>> import ganglion as gg
        >>> trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse", gg.SGD(0.1))
        >>> trainer.learning_rate /= 2
        >>> trainer.learning_rate
        0.05
        """
        rate = self._given_rate if self._latest is None else self._latest.given_rate
        if rate is not None:
            return rate
        return self.optimizer.schedule(0 if self._latest is None else self._latest.step)

    @learning_rate.setter
    def learning_rate(self, rate: float | None) -> None:
        rate = None if rate is None else inputs.real("learning_rate", rate, minimum=0)
        if self._latest is None:
            self._given_rate = rate
        else:
            self._latest.set_learning_rate(rate)

    @known_arguments()
    def fit(
        self,
        x: ArrayLike | Iterable[tuple[ArrayLike, ...]],
        y: ArrayLike | None = None,
        *others: Never,
        epochs: int = 1,
        batch_size: int = 32,
        validation_split: float = 0.0,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        shuffle: bool = True,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | None = None,
        callbacks: Sequence[Callback | Callable[[int, dict[str, float]], object]] = (),
        initial_epoch: int = 0,
        verbose: Literal["auto", 0, 1, 2] = "auto",
    ) -> History:
        """Train for some epochs.

        Parameters
        ----------
        x
            (n, features), read as `Sequential.predict` reads it, or a frame of numbers. Without y: an iterable of
            batches (x, y) or (x, y, sample_weight), each of which is a step of its own size. A thread of its own reads
            them ahead, so whatever makes them should not use the model; for several epochs it must begin anew each
            time, which a generator cannot.
        y
            Targets as the loss wants them; copied.
        *others
            None: all that follows is given by name.
        epochs
            How often to go through the data, 0 … 2³¹ − 1; the number of the epoch to end before, where `initial_epoch`
            says that it does not begin with 0.
        batch_size
            Rows per step, 1 … 2³¹ − 1; the last batch of an epoch may be short, and one batch of all rows is the most.
            For arrays, as is `shuffle`.
        validation_split
            Share of the rows, in [0, 1), to hold out and evaluate after each epoch: the last ones, whatever the order.
        validation_data
            (x, y) to evaluate after each epoch instead.
        shuffle
            Whether each epoch takes the rows in a new order, drawn from the model's seed and the epoch's number.
        sample_weight
            (n,), at least 0: how much each row counts in the loss, L = 1/B Σ_i w_i l_i; metrics count rows alike. With
            `validation_split`, that of the rows that are held out counts in ``"val_loss"``.
        class_weight
            ``{class: weight}``: the same by the rows' classes, those not named counting once; not in ``"val_loss"``.
        callbacks
            What to call at the ends of epochs and so on, in this order: objects of `ganglion.callbacks`, or functions
            f(epoch, logs).
        initial_epoch
            The number of the first epoch, 0 … `epochs`. Greater than 0, it also says whose shuffles to go on with: a
            fit of 3 epochs and one from 3 to 10 are one of 10. With 0 the trainer goes on where it was.
        verbose
            0 silent; 1 a living line an epoch; 2 a plain line an epoch; ``"auto"`` 1 in a terminal and 2 elsewhere. Of
            more than 100 epochs the last leaves a line, and at most ten a second.

        Returns
        -------
        History

        Raises
        ------
        TypeError, ValueError
            If an argument or the data is not as above; the weights are then what they were before the call, also where
            NaN or infinity in x was found only on the way. A wrong batch of an iterable leaves the model as the step
            before left it.
        TrainingDivergedError
            If a step would have made a weight or moment NaN or infinite; the model is as the step before left it.
        KeyboardInterrupt
            On Ctrl-C; the model is as the last step left it. So it is after any exception of a callback or iterable.
        RuntimeError
            If the model is being trained or evaluated already.
        """
        began = time.perf_counter()
        if not others and validation_data is None and sample_weight is None and class_weight is None:
            rest = (validation_split, callbacks, initial_epoch, verbose)
            plain = plain_fit.fit(self, x, y, *rest, epochs=epochs, batch_size=batch_size, shuffle=shuffle)
            if plain is not None:
                return plain
        if others:
            raise TypeError(f"fit takes x and y by position and all else by name, like epochs=5; given {others[0]!r}")
        epochs = inputs.integer("epochs", epochs, minimum=0, maximum=inputs.LARGEST_COUNT)
        first = inputs.integer("initial_epoch", initial_epoch, minimum=0)
        if first > epochs:
            raise ValueError(f"initial_epoch must be at most epochs, {epochs}, where the fit ends; given {first}")
        batch_size = inputs.integer("batch_size", batch_size, minimum=1, maximum=inputs.LARGEST_COUNT)
        shuffle = inputs.flag("shuffle", shuffle)
        loud = style(verbose)
        events = Events(self, callbacks)
        with self._alone("fit"):
            source: Source
            if is_iterable_of_batches(x, y):
                validation = validate_batches(self, y, sample_weight, validation_split, validation_data)
                source = Batches(self, x, epochs - first, class_weight)
            else:
                data = weights.by_row(checked(self.model, self.loss, x, y), sample_weight, self.model.dtype)
                data, validation = split(self, data, validation_split, validation_data)
                source = Arrays(self, weights.by_class(data, class_weight, self.model), batch_size, shuffle)
            progress = None
            if loud:
                progress = Progress(
                    loud == 1, epochs=epochs, rows=source.rows, batch_size=batch_size, names=self._names, first=first
                )
            history = History([*self._names, *(f"val_{name}" for name in self._names if validation)], first)
            fitting = Fitting(
                self,
                source,
                first=first,
                epochs=epochs,
                validation=validation,
                events=events,
                progress=progress,
                history=history,
            )
            before, self.history = self.history, history
            self.stop_training = False
            try:
                fitting.run()
            except _native.NonFiniteInputError:
                self.history = before
                raise
            finally:
                history.seconds = time.perf_counter() - began
                if progress is not None:
                    progress.close()
            return history

    def evaluate(self, x: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None) -> dict[str, float]:
        """Loss and metrics, as means over all rows; `sample_weight` weighs the loss as in `fit`.

        Returns
        -------
        dict
            ``{"loss": …, "accuracy": …}``.

        Raises
        ------
        TypeError, ValueError
            If the data is not what `fit` would take.
        RuntimeError
            If the model is being trained or evaluated already.
        """
        with self._alone("evaluate", between_steps=True):
            data = weights.by_row(checked(self.model, self.loss, x, y), sample_weight, self.model.dtype)
            return self._measure(self._evaluation(data), data.feed())

    def train_on_batch(self, x: ArrayLike, y: ArrayLike) -> float:
        """Make one step on all of these rows; epochs and their shuffles are counted by `fit` alone.

        Returns
        -------
        float
            The batch's loss before the step.

        Raises
        ------
        TypeError, ValueError, TrainingDivergedError
            As `fit`; no step is made then.
        RuntimeError
            If the model is being trained or evaluated already.
        """
        return single_batch.step(self, x, y)[0]

    def step_on_batch(self, x: ArrayLike, y: ArrayLike) -> dict[str, float]:
        """`train_on_batch` that returns loss and metrics by name."""
        return dict(zip(self._names, single_batch.step(self, x, y), strict=True))

    def predict(self, x: ArrayLike) -> Array:
        """`Sequential.predict` on this trainer's threads."""
        return self.model.predict(x, threads=self.threads)

    def check(self, x: object, y: object, *, verbose: bool = True) -> preflight.Check:
        """Look for what goes wrong with such data, model and rate, and change nothing: `ganglion.preflight.check`."""
        return preflight.check(self, x, y, verbose=verbose)

    @contextmanager
    def _alone(self, action: str, *, between_steps: bool = False) -> Iterator[None]:
        """Alone with the model, which is not built by what NaN or infinity in x brings to an end."""
        built = self.model.input_shape is not None
        with self.model.exclusively(action, between_steps=between_steps):
            try:
                with raising_failures(*self._custom):
                    yield
            except _native.NonFiniteInputError as error:
                if not built:
                    self._trainings.clear()
                    self._latest = None
                    self.model._unbuild()
                raise ValueError(str(error)) from None

    def _context(self) -> _native.Context:
        """Kernel set and threads of a run."""
        return machine.context(self.threads)

    def _training(self, data: Rows) -> _native.Training:
        """What trains on targets of this kind, with the moments and counters of the training so far."""
        training = self._evaluation(data)
        training.require_derivatives()
        if self._latest is not None and self._latest is not training:
            training.restore(self._latest.snapshot())
        if self._latest is None:
            training.set_learning_rate(self._given_rate)
        self._latest = training
        return training

    def _evaluation(self, data: Rows) -> _native.Training:
        """What evaluates targets of this kind."""
        kind = data.targets.kind
        if self._trainings and self.model._network is not self._network:
            raise RuntimeError("layers were added to the model after this trainer had seen it: make a new Trainer")
        if kind not in self._trainings:
            self.model.build((data.x.shape[1],))
            optimizer, schedule = self.optimizer.clipped(), self.optimizer.schedule.native()
            threshold = self.loss.threshold(self.model.architecture.function.row)
            metrics = [metric.native(threshold, self.loss.columns) for metric in self.metrics]
            self._network: _native.Network = self.model.network
            self._trainings[kind] = _native.Training(
                self._network, self.loss.native(), kind, optimizer, schedule, metrics, self.accumulate
            )
        return self._trainings[kind]

    def _measure(self, training: _native.Training, feed: _native.Feed) -> dict[str, float]:
        """Loss and metrics of a data set, by name."""
        result = training.evaluate(self._context(), feed)
        return dict(zip(self._names, (result.loss, *result.metrics), strict=True))
