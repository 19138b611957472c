"""A model: layers one after the other, their sizes, and the arrays that the core keeps for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion import _native, inputs, machine
from ganglion.architecture import Architecture, first_input, flat
from ganglion.custom import Fallible, raising_failures
from ganglion.errors import NotFittedError
from ganglion.exclusive import Exclusive
from ganglion.keras_arguments import check_predict
from ganglion.keras_door import KerasDoor
from ganglion.layers import Layer, Sigmoid, Softmax
from ganglion.state_dict import matching

if TYPE_CHECKING:
    import os

    from numpy.typing import ArrayLike

    from ganglion.inputs import Array

__all__ = ["Sequential"]


class Sequential(KerasDoor):
    """Layers one after the other.

    The model has its weights as soon as its sizes are known: at once if the first layer has an ``input_shape``, else at
    the first `build` or `Trainer.fit`. They depend on the seed alone.

    Parameters
    ----------
    *layers
        Layers as arguments, as one list, or as one dictionary of names and layers; none if `add` brings them.
    seed
        0 … 2⁶⁴ − 1: of the initial weights and of the shuffles in training.
    dtype
        ``"float32"`` or ``"float64"``: the type of weights, arithmetic and outputs.

    Raises
    ------
    TypeError, ValueError
        If something is not a layer, a name occurs twice, or an argument is out of bounds.

    Examples
    --------
    >>> import ganglion as gg
    >>> model = gg.Sequential(gg.Dense(3, activation="relu", input_shape=(2,)), gg.Dense(1), seed=1)
    >>> model.summary()
    Layer              Output shape    Parameters
    ─────────────────────────────────────────────
    dense (Dense)      (B, 3)                   9
    dense_1 (Dense)    (B, 1)                   4
    ─────────────────────────────────────────────
    13 parameters in float32, 52 bytes
    >>> model.predict([[0.5, -0.5], [1.0, 2.0]]).shape
    (2, 1)
    """

    def __init__(
        self,
        *layers: Layer | Sequence[Layer] | Mapping[str, Layer],
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        self._become(Architecture(flat(layers), seed, dtype))
        if not self._architecture.layers:
            self._input = first_input(layers)

    def _become(self, architecture: Architecture) -> None:
        self._trainer = self._input = None
        self._architecture = architecture
        self._custom = tuple(layer for layer in architecture.layers if isinstance(layer, Fallible))
        self._network: _native.Network | None = None
        self._features = -1  # as long as there is no network
        self._access = Exclusive()
        first = architecture.layers[0].input_shape if architecture.layers else None
        if first is not None:
            self.build(first)

    # Sizes

    @property
    def architecture(self) -> Architecture:
        """Layers, seed and dtype as one frozen value."""
        return self._architecture

    @property
    def layers(self) -> list[Layer]:
        """The descriptions of the layers, each with its name."""
        return list(self._architecture.layers)

    @property
    def seed(self) -> int:
        """What initial weights and shuffles come from."""
        return self._architecture.seed

    @property
    def dtype(self) -> str:
        """``"float32"`` or ``"float64"``."""
        return self._architecture.dtype

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """``(features,)`` or, where the first layer says so, the shape of a sample; None before it is known."""
        if self._network is None:
            return None
        return tuple(self.layers[0].input_shape or (self._features,))

    @property
    def output_shape(self) -> tuple[int] | None:
        """``(outputs,)``, or None before the sizes are known."""
        return None if self._network is None else (self._architecture.sizes(self._features)[-1],)

    def build(self, input_shape: Sequence[int]) -> None:
        """Make the weights for inputs of shape ``(features,)``; nothing happens if they exist for this shape.

        Raises
        ------
        ValueError
            If the model has another shape already, a layer expects another, or an array cannot be addressed.
        MemoryError
            If there is not enough memory.
        """
        read = inputs.shape if self._architecture.flattens else inputs.flat_shape
        features = math.prod(read("input_shape", input_shape))
        if self._network is None:
            self._network = self._architecture.network(features)
            self._features = features
        elif features != self._features:
            raise ValueError(f"the model is built for input_shape ({self._features},); given ({features},)")

    def _unbuild(self) -> None:
        """Undo `build`."""
        self._network = None
        self._features = -1

    @property
    def network(self) -> _native.Network:
        """The core's side of the model.

        Raises
        ------
        NotFittedError
            If the sizes are not known yet.
        """
        if not self._architecture.layers:
            raise NotFittedError("a model needs at least one layer: add(Dense(10)) appends one")
        if self._network is None:
            raise NotFittedError(
                "the model does not know its input's size yet: give its first layer input_shape=(features,), "
                "call build((features,)), or fit it"
            )
        return self._network

    # Using it

    def predict(
        self,
        x: ArrayLike,
        batch_size: int | None = None,
        verbose: Any = 0,
        *,
        threads: int | None = None,
        **others: Any,
    ) -> Array:
        """The last layer's output, as it is: logits if the network ends in logits.

        A row's result does not depend, not in a bit, on the rows beside it.

        Parameters
        ----------
        x
            (n, features), or samples of any shape for a model that flattens them. float32, float64 and uint8 arrays
            with contiguous rows are read where they lie; all else that NumPy takes for real numbers is copied first.
        batch_size, verbose
            Keras's, and without effect: all rows are one call, and nothing is printed.
        threads
            1 … 1024, the number of threads of the team; by default as many as the work is worth, at most what
            OMP_NUM_THREADS, the process's CPUs and its cgroup's quota allow. The bits are the same.

        Returns
        -------
        ndarray
            (n, outputs), of the model's dtype; (0, outputs) if there are no rows.

        Raises
        ------
        NotFittedError
            If the model's sizes are not known yet.
        TypeError, ValueError
            If x has no real numbers, another shape, or holds NaN or infinity (row and column are named), or threads
            is no such number; an unknown argument.
        """
        network = self._network or self.network  # whose error says what is missing
        if batch_size is not None or verbose != 0 or others:
            check_predict(batch_size, verbose, others)
        if not self._custom:
            output: Array | None = network.try_predict(machine.context(threads), x)
            if output is not None:
                return output
        if self._architecture.flattens:
            x = inputs.flattened("x", x, self.input_shape)
        array = inputs.features("x", x, self._features, self.dtype)
        if len(array) == 0:
            return np.empty((0, network.outputs), self.dtype)
        with raising_failures(*self._custom):
            return network.predict(machine.context(threads), array)

    def predict_proba(self, x: ArrayLike) -> Array:
        """Probabilities of the classes.

        The output of a final softmax or sigmoid as it is, (n, outputs), a single sigmoid's being that of class 1; else
        the softmax of the two or more outputs, taken as logits.

        Raises
        ------
        ValueError
            If the model has one output that is no sigmoid: it is no classifier.
        """
        self._check_classifier("predict_proba")
        output = self.predict(x)
        if isinstance(self._architecture.function, (Softmax, Sigmoid)):
            return output
        return Sequential(Softmax(input_shape=(output.shape[1],)), dtype=self.dtype).predict(output)

    def predict_classes(self, x: ArrayLike) -> Array:
        """The class of each row, int64 (n,): the first largest output, or whether a single sigmoid exceeds 0.5.

        Raises
        ------
        ValueError
            If the model has one output that is no sigmoid: it is no classifier.
        """
        self._check_classifier("predict_classes")
        output = self.predict(x)
        if output.shape[1] == 1:
            return (output[:, 0] > 0.5).astype(np.int64)
        classes: Array = np.argmax(output, axis=1)
        return classes

    def _check_classifier(self, method: str) -> None:
        if self.network.outputs == 1 and not isinstance(self._architecture.function, Sigmoid):
            raise ValueError(
                f"{method} needs a classifier: two or more outputs, or one with activation='sigmoid'; the model has "
                "one output of another kind: end it in one of these, or compare predict(x) with a threshold of yours"
            )

    def copy(self) -> Sequential:
        """An independent model with the same weights; ``copy.deepcopy`` and ``pickle`` make such ones, too."""
        rebuild, arguments = self.__reduce__()
        return rebuild(*arguments)

    def __deepcopy__(self, memo: dict[int, object]) -> Sequential:
        del memo
        return self.copy()

    def __reduce__(self) -> tuple[Callable[..., Sequential], tuple[object, ...]]:
        weights = None if self._network is None else self.get_weights()
        return _rebuilt, (type(self), self.to_config(), weights)

    def summary(self) -> None:
        """Print a table of the layers with their output shapes and numbers of parameters.

        Raises
        ------
        NotFittedError
            If the model's sizes are not known yet.
        """
        print(self._architecture.table(self.network.inputs))

    # Weights

    def parameters(self) -> list[Array]:
        """Live read-only views of what gradients change: kernel (I, O), bias (O,), … of each layer in order."""
        return [view for view, yes in zip(self.network.parameters(), self.network.trainable, strict=True) if yes]

    def state_dict(self) -> dict[str, Array]:
        """Live read-only views by name, moving statistics included: ``"dense.kernel"``, ``"dense.bias"``, …."""
        return self.arrays()

    def arrays(self) -> dict[str, Array]:
        """`state_dict`, by these names and in these shapes whatever a door like ``ganglion.nn`` makes of it."""
        return dict(zip(self._shapes(), self.network.parameters(), strict=True))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return self._architecture.parameter_shapes(self.network.inputs)

    def get_weights(self) -> list[Array]:
        """Copies of all parameters and moving statistics, layer by layer, which is Keras's order."""
        return [np.array(parameter) for parameter in self.network.parameters()]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Overwrite all parameters, in the order of `get_weights`.

        Raises
        ------
        ValueError
            If their number or a shape differs, or a value is not finite; the model is then unchanged.
        """
        shapes, weights = self._shapes(), list(weights)
        if len(weights) != len(shapes):
            expected = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise ValueError(f"weights must be {len(shapes)} arrays: {expected}; given {len(weights)}")
        self._overwrite(matching(dict(zip(shapes, weights, strict=True)), shapes, self.dtype))

    def load_state_dict(self, state: Mapping[str, ArrayLike]) -> None:
        """Overwrite all parameters by name.

        Raises
        ------
        ValueError
            If a name is missing or unknown, a shape differs, or a value is not finite; the model is then unchanged.
        """
        self._overwrite(matching(state, self._shapes(), self.dtype))

    def _overwrite(self, arrays: Sequence[Array]) -> None:
        """Overwrite all parameters by arrays that `matching` let pass."""
        with self.exclusively("load weights", between_steps=True):
            for index, array in enumerate(arrays):
                self.network.assign(index, array)

    def exclusively(self, action: str, *, between_steps: bool = False) -> AbstractContextManager[None]:
        """Hold off everything else that trains or overwrites this model; RuntimeError if something already does."""
        return self._access.hold(action, between_steps=between_steps)

    @property
    def access(self) -> Exclusive:
        """Who may train this model or overwrite its weights."""
        return self._access

    def open_to_callbacks(self) -> AbstractContextManager[None]:
        """Let the callbacks of a fit evaluate the model and overwrite its weights; the fit holds off all else."""
        return self._access.open_to_callbacks()

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a safetensors file, whole or not at all; `ganglion.load` reads it."""
        from ganglion import checkpoint

        checkpoint.save(self, path)

    def to_config(self) -> dict[str, Any]:
        """Everything but the weights, as JSON knows it; `from_config` reads it."""
        return self._architecture.to_config(None if self._network is None else self._features)

    @classmethod
    def from_config(cls, config: object) -> Sequential:
        """The model of `to_config` with its initial weights, from a config that nobody vouches for.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or a value is not one that `to_config` writes.
        """
        architecture, features = Architecture.from_config(config)
        model = cls.__new__(cls)
        model._become(architecture)
        if features is not None:
            model.build((features,))
        return model

    def __repr__(self) -> str:
        layers = "".join(f"    {layer!r},\n" for layer in self.layers)
        return f"Sequential(\n{layers}    seed={self.seed}, dtype={self.dtype!r},\n)"


def _rebuilt(cls: type[Sequential], config: object, weights: Sequence[ArrayLike] | None) -> Sequential:
    """What `copy` and ``pickle`` make of a model's parts."""
    model = cls.from_config(config)
    if weights is not None:
        model.set_weights(weights)
    return model
