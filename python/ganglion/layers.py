"""Layers: frozen descriptions of what a network is made of. They hold sizes and names, never arrays.

B is the number of rows of a batch, I and O are a layer's numbers of inputs and outputs. To add an activation, add its
row to the core's table, its function to ``ganglion.reference``, and one class here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from ganglion import _native, inputs
from ganglion.descriptions import Description, Family, itself
from ganglion.initializers import INITIALIZERS, Initializer
from ganglion.input_layer import Input
from ganglion.regularizers import REGULARIZERS, Regularizer

__all__ = [
    "ACTIVATIONS",
    "ELU",
    "LAYERS",
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
    "Sigmoid",
    "Softmax",
    "Tanh",
]


@dataclass(frozen=True, repr=False)
class Layer(Description):
    """Base of the layers.

    Parameters
    ----------
    input_shape
        ``(features,)`` or ``[features]``; of use on the first layer, whose model then knows all sizes.
    name
        Unique within a model, without a dot; one that is not given is made from the kind: ``dense``, ``dense_1``, ….
    """

    any_rank: ClassVar[bool] = False  # whether it takes samples of any shape, element by element
    statistics: ClassVar[Mapping[str, float]] = MappingProxyType({})  # parameters no optimizer changes, as they start

    _: KW_ONLY
    input_shape: Sequence[int] | None = None
    name: str | None = None
    synonyms = MappingProxyType({"input_dim": ("input_shape", lambda features: (features,))})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input_shape is not None:
            read = inputs.shape if self.any_rank else inputs.flat_shape
            self._set("input_shape", read("input_shape", self.input_shape))
        if self.name is not None:
            if not isinstance(self.name, str):
                raise TypeError(f"name must be a string; given {self.name!r} of type {type(self.name).__name__}")
            if not self.name or "." in self.name:
                raise ValueError(f"name must not be empty and hold no dot; given {self.name!r}")

    if not TYPE_CHECKING:  # to a type checker it would say that there is every name

        def __getattr__(self, name: str) -> object:
            if name in ("get_weights", "set_weights", "weights", "kernel", "bias", "weight"):
                remedy = (
                    f"model.state_dict() has '{self.name or self.default_name}.kernel', model.set_weights writes all"
                )
                text = f"a layer is a description and holds no arrays; {remedy}"
                raise AttributeError(text, name=name, obj=self)
            return self.__getattribute__(name)  # raises what it raised before: here leads every AttributeError

    @property
    def default_name(self) -> str:
        """What a layer without a name is called, followed by a number from the second of its kind on."""
        return type(self).__name__.lower()

    @property
    def function(self) -> NamedActivation:
        """The activation that the layer's output comes out of."""
        return Identity()

    @property
    def transparent(self) -> bool:
        """Whether in prediction the output is the input."""
        return False

    def outputs(self, inputs: int) -> int:
        """Number of outputs for a number of inputs."""
        return inputs

    def parameter_shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        """The layer's own parameters by name, in the core's order."""
        del inputs
        return {}

    @abstractmethod
    def native(self, name: str) -> _native.Layer:
        """What the core is told."""


class NamedActivation(Layer):
    """Base of the activations: each is a layer, and what ``Dense(activation=…)`` and `Activation` may name."""

    @property
    def default_name(self) -> str:
        """The activation's name."""
        return self.row

    @property
    def function(self) -> NamedActivation:
        """The activation itself."""
        return self

    @property
    def alpha(self) -> float:
        """The number that the core's kernels take beside the array; 0 where they take none."""
        return 0.0

    def native(self, name: str) -> _native.Activation:
        """What the core is told."""
        return _native.Activation(name, self.row, self.alpha)


ACTIVATIONS = Family[NamedActivation]("activation", NamedActivation)


@ACTIVATIONS.add("identity", "linear")
class Identity(NamedActivation):
    """h = z."""

    @property
    def transparent(self) -> bool:
        """It is."""
        return True


@ACTIVATIONS.add("sigmoid")
class Sigmoid(NamedActivation):
    """h = 1 / (1 + e⁻ᶻ)."""


@ACTIVATIONS.add("tanh")
class Tanh(NamedActivation):
    """h = tanh z."""


@ACTIVATIONS.add("relu")
class ReLU(NamedActivation):
    """h = max(z, 0)."""


@ACTIVATIONS.add("leaky_relu")
@dataclass(frozen=True, repr=False)
class LeakyReLU(NamedActivation):
    """h = z where z > 0, else negative_slope · z.

    Parameters
    ----------
    negative_slope
        At least 0. The default, 0.01, is that of PyTorch and of Maas et al., "Rectifier nonlinearities improve neural
        network acoustic models", ICML 2013; Keras's layer has 0.3.

    Examples
    --------
    >>> Dense(8, activation=LeakyReLU(0.2))
    Dense(8, activation=LeakyReLU(negative_slope=0.2))
    """

    negative_slope: float = 0.01
    synonyms = MappingProxyType({**Layer.synonyms, "alpha": ("negative_slope", itself)})

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("negative_slope", inputs.real("negative_slope", self.negative_slope, minimum=0))

    @property
    def alpha(self) -> float:
        """The slope."""
        return self.negative_slope


@ACTIVATIONS.add("elu")
@dataclass(frozen=True, repr=False)
class ELU(NamedActivation):
    """h = z where z > 0, else negative_scale · (e^z − 1).

    Parameters
    ----------
    negative_scale
        At least 0. The default, 1, is that of Clevert et al., "Fast and accurate deep network learning by exponential
        linear units (ELUs)", ICLR 2016, of PyTorch and of Keras.

    Examples
    --------
    >>> Dense(8, activation=ELU(0.5))
    Dense(8, activation=ELU(negative_scale=0.5))
    """

    negative_scale: float = 1.0
    synonyms = MappingProxyType({**Layer.synonyms, "alpha": ("negative_scale", itself)})

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("negative_scale", inputs.real("negative_scale", self.negative_scale, minimum=0))

    @property
    def alpha(self) -> float:
        """The scale."""
        return self.negative_scale


@ACTIVATIONS.add("softmax")
class Softmax(NamedActivation):
    """h_j = e^(z_j − max z) / Σ_k e^(z_k − max z), over each row."""


@dataclass(frozen=True, repr=False)
class Activation(Layer):
    """An activation as a layer, by name: ``Activation("relu")`` is ``ReLU()``.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the known ones.

    Examples
    --------
    >>> Activation("swoosh")
    Traceback (most recent call last):
    ...
    ValueError: unknown activation 'swoosh'; known: identity, linear, sigmoid, tanh, relu, leaky_relu, elu, softmax...
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
            name, self.units, self.use_bias, function.row, function.alpha, kernel.native(), bias.native()
        )
        dense.l1, dense.l2 = self.penalty
        return dense

    @property
    def penalty(self) -> tuple[float, float]:
        """The coefficients l1 and l2 of the penalty on W; 0 where there is none."""
        if self.kernel_regularizer is None:
            return 0.0, 0.0
        return REGULARIZERS.find("kernel_regularizer", self.kernel_regularizer).coefficients


# They derive from Layer, and the table below has them.
from ganglion.transformations import (  # noqa: E402
    BatchNormalization,
    Dropout,
    Flatten,
    LayerNormalization,
    Rescale,
)

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
