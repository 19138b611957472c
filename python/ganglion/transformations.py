"""Layers without a kernel: dropout, normalizations, rescaling and flattening."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType
from typing import ClassVar

from ganglion import _native, inputs
from ganglion.layer import Layer

__all__ = ["BatchNormalization", "Dropout", "Flatten", "LayerNormalization", "Rescale"]

SMALLEST_EPSILON = 2.0**-126  # the smallest normal float32


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """In training each element is 0 with probability `rate`, and else divided by 1 − rate; in prediction all stay.

    Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov, "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 15, 2014, scaled in training. `fit`, `train_on_batch` and gradients train; `predict` and
    `evaluate` do not. What is dropped depends on the model's seed, the step and the layer alone.

    Parameters
    ----------
    rate
        Share of the elements to drop, in [0, 1).

    Raises
    ------
    TypeError, ValueError
        If the rate is no number or out of bounds.

    Examples
    --------
    >>> Dropout(0.5)
    Dropout(0.5)
    >>> Dropout(50)
    Traceback (most recent call last):
    ...
    ValueError: rate must be finite and >= 0 and < 1; given 50; for 50 % write 0.5
    """

    any_rank: ClassVar[bool] = True

    rate: float

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("rate", inputs.real("rate", self.rate, minimum=0, below=1))

    @property
    def transparent(self) -> bool:
        """It is."""
        return True

    def native(self, name: str) -> _native.Dropout:
        """What the core is told."""
        return _native.Dropout(name, self.rate)


@dataclass(frozen=True, repr=False)
class Normalization(Layer):
    """Base of the normalizations: h = γ x̂ + β, x̂ having mean 0 and variance 1 over something."""

    _: KW_ONLY
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("epsilon", inputs.real("epsilon", self.epsilon, minimum=SMALLEST_EPSILON))
        self._set("center", inputs.flag("center", self.center))
        self._set("scale", inputs.flag("scale", self.scale))

    def parameter_shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        """γ and β, where there are such."""
        names = {"gamma": self.scale, "beta": self.center}
        return {name: (inputs,) for name, exists in names.items() if exists}


@dataclass(frozen=True, repr=False)
class BatchNormalization(Normalization):
    """h = γ (x − μ) / √(σ² + ε) + β for each column.

    Ioffe & Szegedy, "Batch normalization", ICML 2015. In training μ and the biased variance σ² are the batch's, and the
    moving ones follow: moving ← momentum · moving + (1 − momentum) · batch's. In prediction they are the moving ones.
    A training batch of one row gives β and leaves the moving ones alone.

    As in Keras. PyTorch calls 1 − momentum momentum (default 0.1), has ε = 1e-5, lets the moving variance follow the
    unbiased variance of the batch, B/(B − 1) times the biased one, and refuses a batch of one row.

    Parameters
    ----------
    momentum
        Of the moving statistics, in [0, 1).
    epsilon
        ε, added to the variance.
    center, scale
        Whether there is a β, a γ.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(BatchNormalization(input_shape=(2,)))
    >>> list(model.state_dict())
    ['batch_normalization.gamma', 'batch_normalization.beta', 'batch_normalization.moving_mean',
     'batch_normalization.moving_variance']
    """

    statistics: ClassVar[Mapping[str, float]] = MappingProxyType({"moving_mean": 0.0, "moving_variance": 1.0})

    _: KW_ONLY
    momentum: float = 0.99

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("momentum", inputs.real("momentum", self.momentum, minimum=0, below=1))

    @property
    def default_name(self) -> str:
        """As in Keras."""
        return "batch_normalization"

    def parameter_shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        """γ and β, where there are such, and the moving statistics."""
        return super().parameter_shapes(inputs) | dict.fromkeys(self.statistics, (inputs,))

    def native(self, name: str) -> _native.Normalization:
        """What the core is told."""
        return _native.Normalization(name, True, self.epsilon, self.momentum, self.center, self.scale)


@dataclass(frozen=True, repr=False)
class LayerNormalization(Normalization):
    """h = γ (x − μ) / √(σ² + ε) + β with the mean μ and the biased variance σ² of each row.

    Ba, Kiros & Hinton, "Layer normalization", 2016, equation 3. As in Keras; PyTorch has ε = 1e-5.

    Parameters
    ----------
    epsilon
        ε, added to the variance.
    center, scale
        Whether there is a β, a γ.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(LayerNormalization(epsilon=1e-12, input_shape=(2,)), dtype="float64")
    >>> model.predict([[1.0, 3.0]]).round(6)
    array([[-1.,  1.]])
    """

    @property
    def default_name(self) -> str:
        """As in Keras."""
        return "layer_normalization"

    def native(self, name: str) -> _native.Normalization:
        """What the core is told."""
        return _native.Normalization(name, False, self.epsilon, 0.0, self.center, self.scale)


@dataclass(frozen=True, repr=False)
class Rescale(Layer):
    """h = scale · x + offset: each element is multiplied and then added to, in the model's dtype.

    As a model's first layer it costs nothing, because it is done while x is read: ``Rescale(1/255)`` for the bytes of
    images. Keras calls it ``Rescaling``.

    Parameters
    ----------
    scale, offset
        Numbers.

    Raises
    ------
    TypeError, ValueError
        If one is no number or not finite.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(Rescale(1 / 256, -0.5, input_shape=(3,)))
    >>> model.predict(np.array([[0, 64, 192]], np.uint8))
    array([[-0.5 , -0.25,  0.25]], dtype=float32)
    """

    any_rank: ClassVar[bool] = True

    scale: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("scale", inputs.real("scale", self.scale))
        self._set("offset", inputs.real("offset", self.offset))

    def native(self, name: str) -> _native.Rescale:
        """What the core is told."""
        return _native.Rescale(name, self.scale, self.offset)


@dataclass(frozen=True, repr=False)
class Flatten(Layer):
    """Each sample's elements in one row: (n, 28, 28) becomes (n, 784), without arithmetic or a copy.

    Before it there can only be layers that look at each element by itself, like `Rescale` and `Dropout`.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(Rescale(1 / 255, input_shape=(28, 28)), Flatten(), gg.Dense(10))
    >>> model.predict(np.zeros((5, 28, 28), np.uint8)).shape
    (5, 10)
    """

    any_rank: ClassVar[bool] = True

    @property
    def transparent(self) -> bool:
        """It is."""
        return True

    def native(self, name: str) -> _native.Flatten:
        """What the core is told."""
        return _native.Flatten(name)
