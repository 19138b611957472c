"""Layers: frozen descriptions of what a network is made of. They hold sizes and names, never arrays.

B is the number of rows of a batch, I and O are a layer's numbers of inputs and outputs. The activations, which are
layers too, are in ``ganglion.activations``.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from ganglion import _native, inputs
from ganglion.activations import ELU, GELU, SELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Softplus, Step, Swish, Tanh
from ganglion.arguments import no_attribute
from ganglion.descriptions import Family
from ganglion.initializers import INITIALIZERS, Initializer
from ganglion.input_layer import Input
from ganglion.layer import ACTIVATIONS, Identity, Layer, NamedActivation
from ganglion.regularizers import REGULARIZERS, Regularizer
from ganglion.transformations import BatchNormalization, Dropout, Flatten, LayerNormalization, Rescale

__all__ = [
    "ACTIVATIONS",
    "ELU",
    "GELU",
    "LAYERS",
    "SELU",
    "Activation",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Flatten",
    "Identity",
    "Input",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "NamedActivation",
    "ReLU",
    "Rescale",
    "Rescaling",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Step",
    "Swish",
    "Tanh",
]

ELSEWHERE = dict.fromkeys(
    ("Conv1D", "Conv2D", "Conv3D", "MaxPooling2D", "LSTM", "GRU", "SimpleRNN", "Embedding", "MultiHeadAttention"),
    "ganglion has dense networks: Dense, activations, normalizations and Dropout",
)


def __getattr__(name: str) -> Any:
    raise no_attribute(__name__, name, __all__, ELSEWHERE.get(name))


@dataclass(frozen=True, repr=False)
class Activation(Layer):
    """An activation as a layer, by name: ``Activation("relu")`` is ``ReLU()``.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the known ones.

    Examples
    --------
    >>> Activation("swoosh")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: unknown activation 'swoosh'; known: identity, linear, sigmoid, ... softmax; did you mean 'swish'?
    """

    activation: str | NamedActivation
    families: ClassVar[dict[str, Family[Any]]] = {"activation": ACTIVATIONS}

    @property
    def function(self) -> NamedActivation:
        """The activation that is meant."""
        return ACTIVATIONS.find("activation", self.activation)

    @property
    def transparent(self) -> bool:
        """Whether the activation is the identity."""
        return self.function.transparent

    def native(self, name: str) -> _native.Activation:
        """What the core is told."""
        return self.function.native(name)


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    """A fully connected layer: h = f(x W + b), x (B, I), kernel W (I, O), bias b (O,).

    Parameters
    ----------
    units
        O, at least 1.
    activation
        f: a name, an activation like ``LeakyReLU(0.2)``, or None for none.
    use_bias
        Whether there is a b.
    input_shape
        ``(I,)``; needed on a model's first layer only, and there only where sizes must be known before data is seen.
    kernel_initializer, bias_initializer
        How W and b start: a name or an object of ``ganglion.initializers``.
    kernel_regularizer
        A penalty on W that is added to the loss: None, ``"l1"``, ``"l2"``, ``"l1_l2"`` or an object of
        ``ganglion.regularizers`` like ``L2(1e-4)``.
    name
        Unique within a model.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, out of bounds or an unknown name.

    Examples
    --------
    >>> Dense(512, activation="relu", input_shape=(784,))
    Dense(512, activation='relu', input_shape=(784,))
    """

    units: int
    activation: str | NamedActivation | None = None
    _: KW_ONLY
    use_bias: bool = True
    kernel_initializer: str | Initializer = "glorot_uniform"
    bias_initializer: str | Initializer = "zeros"
    kernel_regularizer: str | Regularizer | None = None
    families: ClassVar[dict[str, Family[Any]]] = {
        "activation": ACTIVATIONS,
        "kernel_initializer": INITIALIZERS,
        "bias_initializer": INITIALIZERS,
        "kernel_regularizer": REGULARIZERS,
    }

    def __post_init__(self) -> None:
        if isinstance(self.activation, int):
            raise TypeError(
                f"Dense takes its outputs alone, Dense({self.activation}), and input_shape=({self.units},) where it is "
                f"the first; given Dense({self.units}, {self.activation}), which is Linear's way"
            )
        super().__post_init__()
        self._set("units", inputs.integer("units", self.units, minimum=1))
        self._set("use_bias", inputs.flag("use_bias", self.use_bias))

    @property
    def function(self) -> NamedActivation:
        """The activation f."""
        return Identity() if self.activation is None else ACTIVATIONS.find("activation", self.activation)

    def outputs(self, inputs: int) -> int:
        """O, whatever I is."""
        del inputs
        return self.units

    def parameter_shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        """The kernel, and the bias where there is one."""
        kernel: dict[str, tuple[int, ...]] = {"kernel": (inputs, self.units)}
        return kernel | {"bias": (self.units,)} if self.use_bias else kernel

    def native(self, name: str) -> _native.Dense:
        """What the core is told."""
        function = self.function
        kernel = INITIALIZERS.find("kernel_initializer", self.kernel_initializer)
        bias = INITIALIZERS.find("bias_initializer", self.bias_initializer)
        dense = _native.Dense(
            name, self.units, self.use_bias, function.core_row, function.alpha, kernel.native(), bias.native()
        )
        dense.l1, dense.l2 = self.penalty
        return dense

    @property
    def penalty(self) -> tuple[float, float]:
        """The coefficients l1 and l2 of the penalty on W; 0 where there is none."""
        if self.kernel_regularizer is None:
            return 0.0, 0.0
        return REGULARIZERS.find("kernel_regularizer", self.kernel_regularizer).coefficients


Rescaling = Rescale  # Keras's name

LAYERS: dict[str, type[Layer]] = {
    "Dense": Dense,
    "Activation": Activation,
    "BatchNormalization": BatchNormalization,
    "Dropout": Dropout,
    "Flatten": Flatten,
    "LayerNormalization": LayerNormalization,
    "Rescale": Rescale,
    **ACTIVATIONS.classes,
}
