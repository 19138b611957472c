"""What users of Keras look for in a model, with Keras's names, order and defaults of arguments.

Nothing is computed here: `compile` makes a `Trainer`, and everything else asks it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from ganglion import inputs
from ganglion.errors import NotCompiledError
from ganglion.input_layer import Input, with_input_shape
from ganglion.keras_arguments import accept, check_batch_size, of_keras
from ganglion.progress import style

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion.architecture import Architecture
    from ganglion.history import History
    from ganglion.layers import Layer
    from ganglion.losses import Loss
    from ganglion.optimizers import Optimizer
    from ganglion.sequential import Sequential
    from ganglion.trainer import Trainer

__all__ = ["CompiledOptimizer", "KerasDoor"]

Values = float | list[float] | dict[str, float]


class CompiledOptimizer:
    """The optimizer of a compiled model: its description, and the learning rate as it is now.

    Attributes
    ----------
    learning_rate : float
        Of the next step; what is set holds for all steps from then on.

    Examples
    --------
    >>> import ganglion as gg
    >>> model = gg.Sequential([gg.Dense(1, input_shape=(2,))])
    >>> model.compile(gg.SGD(0.1), "mse")
    >>> model.optimizer.learning_rate = 0.05
    >>> model.optimizer, model.optimizer.learning_rate
    (SGD(learning_rate=0.1), 0.05)
    """

    def __init__(self, trainer: Trainer) -> None:
        object.__setattr__(self, "_trainer", trainer)

    _trainer: Trainer

    @property
    def learning_rate(self) -> float:
        """Rate of the next step."""
        return self._trainer.learning_rate

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "learning_rate":
            raise AttributeError(
                f"of a compiled model's optimizer only learning_rate can be set; for another {name} compile again",
                name=name,
                obj=self,
            )
        self._trainer.learning_rate = value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trainer.optimizer, name)

    def __repr__(self) -> str:
        return repr(self._trainer.optimizer)


# What is looked for in a model, and where it is.
MEMBERS = {
    **dict.fromkeys(
        ("save_weights", "load_weights"), "save(path) keeps the model whole, and ganglion.load(path) reads it"
    ),
    **dict.fromkeys(("weights", "trainable_weights", "coef_"), "get_weights() copies them, state_dict() names them"),
    **dict.fromkeys(("to_json", "get_config"), "save(path) writes layers and weights"),
    **dict.fromkeys(("train", "eval"), "fit trains and predict does not, by themselves; an nn.Sequential has modes"),
    **dict.fromkeys(("to", "cpu", "cuda"), "it runs on the CPU; leave it out"),
    "get_layer": "its layers are model.layers, a list",
    "count_params": "summary() counts them",
    "predict_on_batch": "predict(x) takes any number of rows",
    "fit_generator": "fit takes iterables of batches",
    "partial_fit": "train_on_batch(x, y) makes one step",
    "score": "evaluate(x, y) gives loss and metrics",
    "check": "it is a trainer's: Trainer(model, loss, optimizer).check(x, y)",
}


class KerasDoor:
    """The methods of a model that Keras's have, to derive `ganglion.Sequential` from."""

    _architecture: Architecture
    _features: int
    _trainer: Trainer | None
    _input: Input | None

    if not TYPE_CHECKING:  # a model that can be called is an nn.Sequential

        def __call__(self, *_: Any, **__: Any) -> Any:
            """Say what to call instead."""
            raise TypeError(
                "a model is not called: model.predict(x) gives its outputs; for a loop with loss.backward() make it an "
                "nn.Sequential"
            )

        def __getattr__(self, name: str) -> Any:
            if name in MEMBERS:
                raise AttributeError(f"a model has no {name}: {MEMBERS[name]}", name=name, obj=self)
            return self.__getattribute__(name)  # raises what it raised before: here leads every AttributeError

    # Building

    def add(self, layer: Layer | Input) -> None:
        """Append a layer; the layers before keep their weights. A compiled model must be compiled again.

        Raises
        ------
        TypeError, ValueError
            If it is no layer, its name is taken, or its ``input_shape`` does not fit.
        RuntimeError
            If the model is being trained or evaluated.

        Examples
        --------
        >>> import ganglion as gg
        >>> model = gg.Sequential()
        >>> model.add(gg.layers.Input((2,)))
        >>> model.add(gg.Dense(3, activation="relu"))
        >>> model.output_shape
        (3,)
        """
        if isinstance(layer, Input):
            if self._input is not None or self._architecture.layers:
                raise ValueError("Input comes before all layers, and once; this model has its beginning already")
            self._input = layer
            return
        if self._input is not None:
            layer = with_input_shape(self._input, layer)
        self._grow(layer)
        self._input = None

    def _grow(self, layer: Layer) -> None:
        from ganglion.architecture import flat

        model = cast("Sequential", self)
        architecture = replace(self._architecture, layers=(*self._architecture.layers, *flat((layer,))))
        features = self._features if model.input_shape is not None else None
        if features is not None:
            architecture.parameter_shapes(features)  # refuses what does not fit, before anything changes
        with model.exclusively("add a layer"):
            state = {} if features is None else {name: array.copy() for name, array in model.state_dict().items()}
        model._become(architecture)
        if features is not None:
            model.build((features,))
            model.load_state_dict({**model.state_dict(), **state})

    # Training

    def compile(
        self,
        optimizer: str | Optimizer = "rmsprop",
        loss: str | Loss | None = None,
        metrics: Any = None,
        **others: Any,
    ) -> None:
        """Say what to minimise and how: make a new `Trainer`, which `fit` and the other methods then ask.

        Parameters
        ----------
        optimizer, loss
            Names or objects, as `Trainer` takes them.
        metrics
            A list like ``["accuracy"]``, one name, or None; history and `evaluate` call them as they are given here.
        **others
            `Trainer`'s own arguments, like ``threads=2``. Those of Keras that say how it executes, like
            ``jit_compile``, mean nothing here and are taken.

        Raises
        ------
        TypeError, ValueError
            As `Trainer`; an unknown argument.

        Examples
        --------
        >>> import numpy as np, ganglion as gg
        >>> model = gg.Sequential([gg.Dense(1, input_shape=[2])])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> history = model.fit(np.ones((8, 2)), np.ones(8), epochs=3, verbose=0)
        >>> len(history.history["loss"])
        3
        """
        from inspect import signature

        from ganglion.trainer import Trainer

        own = {name for name, each in signature(Trainer).parameters.items() if each.kind is each.KEYWORD_ONLY}
        rest = {name: value for name, value in others.items() if name not in own}
        accept("compile", rest, sorted(own))
        if loss is None:
            raise TypeError("compile needs a loss, like loss='mse' or loss='cross_entropy'")
        metrics = [] if metrics is None else metrics if isinstance(metrics, (list, tuple)) else [metrics]
        options = {name: value for name, value in others.items() if name in own}
        trainer = Trainer(
            cast("Sequential", self), loss, optimizer, [of_keras(metric) for metric in metrics], **options
        )
        trainer.rename([metric if isinstance(metric, str) else None for metric in metrics])
        self._trainer = trainer

    @property
    def trainer(self) -> Trainer:
        """What `compile` made.

        Raises
        ------
        NotCompiledError
            If the model is not compiled, or a layer was added since.
        """
        return self._compiled("trainer")

    def _compiled(self, method: str) -> Trainer:
        if self._trainer is None:
            raise NotCompiledError(
                f"{method} needs a compiled model: call compile(optimizer='adam', loss='mse') with your own choice "
                "first, and again after add; or use Trainer(model, loss)"
            )
        return self._trainer

    @property
    def optimizer(self) -> CompiledOptimizer:
        """The optimizer, with the learning rate as it is now: ``model.optimizer.learning_rate``."""
        return CompiledOptimizer(self._compiled("optimizer"))

    @property
    def stop_training(self) -> bool:
        """Whether the `fit` that runs is to end with its epoch; callbacks set it."""
        return self._compiled("stop_training").stop_training

    @stop_training.setter
    def stop_training(self, value: bool) -> None:
        self._compiled("stop_training").stop_training = value

    @property
    def loss(self) -> Loss:
        """The loss."""
        return self._compiled("loss").loss

    @property
    def metrics_names(self) -> list[str]:
        """What `evaluate` returns, in order: ``["loss", "accuracy"]``."""
        return list(self._compiled("metrics_names").names)

    @property
    def history(self) -> History | None:
        """Of the latest `fit` since `compile`."""
        return self._compiled("history").history

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        **others: Any,
    ) -> History:
        """Train for some epochs: `Trainer.fit` with Keras's order of arguments; a batch has 32 rows by default.

        Of Keras's other arguments, ``validation_batch_size`` changes nothing, and ``steps_per_epoch``,
        ``validation_steps`` and ``validation_freq`` have their default alone.

        Returns
        -------
        History
            With ``.history``, a dict of lists, and ``.epoch``.

        Raises
        ------
        NotCompiledError
            If the model is not compiled.
        TypeError, ValueError, TrainingDivergedError, KeyboardInterrupt, RuntimeError
            As `Trainer.fit`; an unknown argument.
        """
        trainer = self._compiled("fit")
        accept("fit", others)
        # The trainer's own defaults hold for what is left out.
        options = {
            "batch_size": batch_size,
            "callbacks": callbacks,
            "validation_data": validation_data,
            "class_weight": class_weight,
            "sample_weight": sample_weight,
            "initial_epoch": initial_epoch or None,
        }
        given = {name: value for name, value in options.items() if value is not None}
        return trainer.fit(
            x, y, epochs=epochs, verbose=verbose, validation_split=validation_split, shuffle=shuffle, **given
        )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        *,
        return_dict: bool = False,
        **others: Any,
    ) -> Values:
        """Loss and metrics, as means over all rows; what `batch_size` is changes nothing.

        Returns
        -------
        float, list of float or dict
            The loss if there are no metrics, else a list with the loss and each metric; the dict of
            `Trainer.evaluate` where `return_dict` is true.

        Raises
        ------
        NotCompiledError
            If the model is not compiled.
        TypeError, ValueError, RuntimeError
            As `Trainer.evaluate`; an unknown argument.
        """
        trainer = self._compiled("evaluate")
        accept("evaluate", others)
        loud = style(verbose)
        check_batch_size(batch_size)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        values = trainer.evaluate(x, y, **weights)
        if loud:
            print("  ".join(f"{name} {value:.4g}" for name, value in values.items()))
        return _as_keras(values, return_dict)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
        **others: Any,
    ) -> Values:
        """Make one step on all of these rows.

        Returns
        -------
        float, list of float or dict
            As `evaluate`, of this batch before the step. (Keras gives means over all batches since its last
            ``reset_metrics``.)

        Raises
        ------
        NotCompiledError
            If the model is not compiled.
        TypeError, ValueError, TrainingDivergedError, RuntimeError
            As `Trainer.train_on_batch`; an unknown argument.
        """
        trainer = self._compiled("train_on_batch")
        accept("train_on_batch", others)
        options = {"sample_weight": sample_weight, "class_weight": class_weight}
        given = {name: value for name, value in options.items() if value is not None}
        return _as_keras(trainer.step_on_batch(x, y, **given), return_dict)

    def test_on_batch(self, x: ArrayLike, y: ArrayLike, sample_weight: Any = None, return_dict: bool = False) -> Values:
        """`evaluate`, without a word."""
        return self.evaluate(x, y, verbose=0, sample_weight=sample_weight, return_dict=return_dict)


def _as_keras(values: dict[str, float], as_dict: bool) -> Values:
    if inputs.flag("return_dict", as_dict):
        return values
    numbers = list(values.values())
    return numbers if len(numbers) > 1 else numbers[0]
