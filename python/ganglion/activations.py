"""The activations: frozen descriptions.

To add one, add its row to the core's table, its function to ``ganglion.reference`` and to ``ganglion.functional``, and
one class here.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from ganglion import inputs
from ganglion.descriptions import itself
from ganglion.layer import ACTIVATIONS, Identity, Layer, NamedActivation

__all__ = [
    "ACTIVATIONS",
    "ELU",
    "GELU",
    "SELU",
    "Identity",
    "LeakyReLU",
    "NamedActivation",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Step",
    "Swish",
    "Tanh",
]


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
    >>> from ganglion import Dense
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
    >>> from ganglion import Dense
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


@ACTIVATIONS.add("selu")
class SELU(NamedActivation):
    """h = 1.0507 z where z > 0, else 1.0507 · 1.6733 (e^z − 1).

    The two constants (to all digits in the core) are those of Klambauer et al., "Self-normalizing neural networks",
    NeurIPS 2017, section 2, with which a deep network keeps mean 0 and variance 1; its kernels want the variance 1/I.
    The same as PyTorch's and Keras's.
    """


@ACTIVATIONS.add("softplus")
class Softplus(NamedActivation):
    """h = log(1 + e^z), computed as max(z, 0) + log1p(e^−|z|), so that no z is too large or too small.

    Dugas et al., "Incorporating second-order functional knowledge for better option pricing", NIPS 2000. Keras's is the
    same; PyTorch's returns z itself above 20, which is 2·10⁻⁹ less there.
    """


@ACTIVATIONS.add("swish", "silu")
class Swish(NamedActivation):
    """h = z · sigmoid(z), also called SiLU.

    Hendrycks and Gimpel, "Gaussian error linear units (GELUs)", 2016 (as SiLU); Ramachandran et al., "Searching for
    activation functions", 2017 (as swish, with β = 1). The same as PyTorch's ``SiLU`` and Keras's ``silu``.
    """


SiLU = Swish


@ACTIVATIONS.add("gelu")
@dataclass(frozen=True, repr=False)
class GELU(NamedActivation):
    """h = z · Φ(z) = ½ z (1 + erf(z/√2)), Φ being the distribution function of the normal distribution.

    Parameters
    ----------
    approximate
        True for ½ z (1 + tanh(√(2/π) (z + 0.044715 z³))), which differs by up to 5·10⁻⁴. ``"none"`` and ``"tanh"``,
        PyTorch's names, mean False and True. The default, the exact form, is PyTorch's and Keras's, too; JAX's and
        TensorFlow's older ``gelu`` have the other.

    Notes
    -----
    Hendrycks and Gimpel, "Gaussian error linear units (GELUs)", 2016, section 2. Φ keeps its full precision where
    1 + erf(z/√2) would be a difference of nearly equal numbers, left of −1.

    Examples
    --------
    >>> from ganglion import Dense
    >>> Dense(8, activation=GELU(approximate="tanh"))
    Dense(8, activation=GELU(approximate=True))
    """

    approximate: bool | str = False

    def __post_init__(self) -> None:
        super().__post_init__()
        given = self.approximate
        if isinstance(given, str):
            if given not in ("none", "tanh"):
                raise ValueError(f"approximate must be True or False, or 'tanh' or 'none'; given {given!r}")
            given = given == "tanh"
        self._set("approximate", inputs.flag("approximate", given))

    @property
    def core_row(self) -> str:
        """One row for each of the two forms."""
        return "gelu_tanh" if self.approximate else "gelu"


@ACTIVATIONS.add("step", "heaviside")
class Step(NamedActivation):
    """h = 1 where z > 0, else 0: Heaviside's function, the perceptron's (Rosenblatt 1958).

    A model with it predicts and can be evaluated. It is flat wherever it is not broken, so that weights before it
    cannot be trained: training says so.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> gate = gg.Sequential(gg.Dense(1, activation="step", input_shape=(2,)))
    >>> gate.set_weights([[[0.5], [0.5]], [-0.7]])
    >>> gate.predict([[0, 0], [0, 1], [1, 0], [1, 1]]).ravel()  # and
    array([0., 0., 0., 1.], dtype=float32)
    """


@ACTIVATIONS.add("softmax")
class Softmax(NamedActivation):
    """h_j = e^(z_j − max z) / Σ_k e^(z_k − max z), over each row."""
