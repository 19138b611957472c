"""How weights start: rows of the core's table, drawn by counter-based random numbers that depend on the seed alone.

I and O are a layer's numbers of inputs and outputs; a bias has its kernel's. A uniform weight is made of u in [0, 1), a
normal one of z by Box and Muller, not truncated (Keras truncates its variance-scaling normals at 2σ, PyTorch does not).

Sources: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
2010; K. He et al., "Delving deep into rectifiers", ICCV 2015; Y. LeCun et al., "Efficient BackProp", 1998; A. M. Saxe,
J. L. McClelland and S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
ICLR 2014.

Examples
--------
>>> import ganglion as gg
>>> gg.Dense(8, kernel_initializer=gg.initializers.Normal(0.01), bias_initializer="ones")
Dense(8, kernel_initializer=Normal(deviation=0.01), bias_initializer='ones')
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from ganglion import _native, inputs
from ganglion.descriptions import Description, Family, itself

__all__ = [
    "INITIALIZERS",
    "Constant",
    "FanInUniform",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "Uniform",
    "Zeros",
]


class Initializer(Description):
    """Base of the initializers."""

    def native(self) -> _native.Initializer:
        """Its row of the core's table."""
        return _native.Initializer(self.row)


INITIALIZERS = Family[Initializer]("initializer", Initializer)


@INITIALIZERS.add("zeros")
class Zeros(Initializer):
    """All zero: the default for biases."""


@INITIALIZERS.add("ones")
class Ones(Initializer):
    """All one."""


@INITIALIZERS.add("constant")
@dataclass(frozen=True, repr=False)
class Constant(Initializer):
    """All the same.

    Parameters
    ----------
    value
        A finite number.
    """

    value: float = 0.0

    def __post_init__(self) -> None:
        self._set("value", inputs.real("value", self.value))

    def native(self) -> _native.Initializer:
        """Its row of the core's table."""
        return _native.Initializer(self.row, self.value)


@INITIALIZERS.add("normal", "random_normal")
@dataclass(frozen=True, repr=False)
class Normal(Initializer):
    """Normal: mean + deviation · z.

    Parameters
    ----------
    deviation
        Standard deviation, at least 0; 0.05 by default, as in Keras's ``RandomNormal``.
    mean
        A finite number.
    """

    deviation: float = 0.05
    mean: float = 0.0
    synonyms = MappingProxyType({"stddev": ("deviation", itself)})

    def __post_init__(self) -> None:
        self._set("deviation", inputs.real("deviation", self.deviation, minimum=0))
        self._set("mean", inputs.real("mean", self.mean))

    def native(self) -> _native.Initializer:
        """Its row of the core's table."""
        return _native.Initializer(self.row, self.deviation, self.mean)


@INITIALIZERS.add("uniform", "random_uniform")
@dataclass(frozen=True, repr=False)
class Uniform(Initializer):
    """Uniform: low + (high − low) · u.

    Parameters
    ----------
    low, high
        Finite numbers, low below high; ±0.05 by default, as in Keras's ``RandomUniform``.

    Raises
    ------
    ValueError
        If low is not below high, or one is not finite.
    """

    low: float = -0.05
    high: float = 0.05
    synonyms = MappingProxyType({"minval": ("low", itself), "maxval": ("high", itself)})

    def __post_init__(self) -> None:
        self._set("low", inputs.real("low", self.low))
        self._set("high", inputs.real("high", self.high))
        if not self.low < self.high:
            raise ValueError(f"low must be below high; given {self.low:g} and {self.high:g}")

    def native(self) -> _native.Initializer:
        """Its row of the core's table."""
        return _native.Initializer(self.row, self.low, self.high)


@INITIALIZERS.add("glorot_uniform", "xavier_uniform")
class GlorotUniform(Initializer):
    """Uniform in ±√(6 / (I + O)): keeps the variance of activations and gradients; the default for kernels."""


@INITIALIZERS.add("glorot_normal", "xavier_normal")
class GlorotNormal(Initializer):
    """Normal with σ = √(2 / (I + O))."""


@INITIALIZERS.add("he_uniform", "kaiming_uniform")
class HeUniform(Initializer):
    """Uniform in ±√(6 / I): keeps the variance through ReLU, which halves it."""


@INITIALIZERS.add("he_normal", "kaiming_normal")
class HeNormal(Initializer):
    """Normal with σ = √(2 / I)."""


@INITIALIZERS.add("lecun_uniform")
class LecunUniform(Initializer):
    """Uniform in ±√(3 / I): keeps the variance through a linear layer; SELU expects it."""


@INITIALIZERS.add("lecun_normal")
class LecunNormal(Initializer):
    """Normal with σ = √(1 / I)."""


@INITIALIZERS.add("fan_in_uniform")
class FanInUniform(Initializer):
    """Uniform in ±1/√I: how PyTorch's ``Linear`` starts, its bias too."""


@INITIALIZERS.add("orthogonal")
@dataclass(frozen=True, repr=False)
class Orthogonal(Initializer):
    """gain · Q: columns of length `gain` that are orthogonal to each other, or rows where those are fewer.

    Q is that of the decomposition Q R, R having a positive diagonal, of a matrix of independent normal numbers, which
    makes every orthogonal matrix equally likely. A bias is a vector of length `gain`.

    Parameters
    ----------
    gain
        A finite number.
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        self._set("gain", inputs.real("gain", self.gain))

    def native(self) -> _native.Initializer:
        """Its row of the core's table."""
        return _native.Initializer(self.row, self.gain)
