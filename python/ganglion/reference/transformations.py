"""Layers without a kernel: dropout, normalizations, rescaling and flattening.

In training some of them do something else than in prediction, and `Layer.moment` says when that is.
"""

import numpy as np

from . import random
from .array import Array, as_float64
from .layers import Layer
from .layers import Moment as Moment


class Dropout(Layer):
    """y = x / (1 − rate) where a uniform number is at least `rate`, else 0; outside training y = x.

    Element (b, j) of the batch takes number b P + j of the stream of the seed, of dropout layer `index`, and of the
    moment, where P is the number of columns rounded up to 16 (Srivastava et al. 2014, scaled in training).

    Examples
    --------
    >>> layer = Dropout(0.75, seed=0, index=0)
    >>> layer.forward(np.ones((1, 6)))
    array([[1., 1., 1., 1., 1., 1.]])
    >>> layer.moment = Moment(epoch=0, step=0)
    >>> layer.forward(np.ones((1, 6)))
    array([[0., 0., 4., 0., 0., 4.]])
    """

    def __init__(self, rate: float, seed: int, index: int) -> None:
        super().__init__()
        self.rate, self.seed, self.index = rate, seed, index

    def factors(self, shape: tuple[int, int]) -> Array:
        """Return what each element is multiplied by."""
        if self.moment is None:
            return np.ones(shape)
        rows, columns = shape
        padded = -(-columns // 16) * 16
        drawn = random.uniform(
            rows * padded, self.seed, random.DROPOUT, self.index, self.moment.epoch, self.moment.step
        )
        kept = drawn.reshape(rows, padded)[:, :columns] >= self.rate
        return as_float64(np.where(kept, 1 / (1 - self.rate), 0))

    def forward(self, x: Array) -> Array:
        """Compute y from x, both (B, O)."""
        self.x = x
        self.y = x * self.factors((x.shape[0], x.shape[1]))
        return self.y

    def backward(self, dy: Array) -> Array:
        """Compute dx from dy, both (B, O)."""
        self.dy = dy
        return dy * self.factors((dy.shape[0], dy.shape[1]))


class Normalization(Layer):
    """Base of the normalizations: y = γ x̂ + β with x̂ = (x − μ) / √(σ² + ε), γ and β (O,) or None.

    `axis` is what μ and the biased σ² are taken over: 0 the rows of the batch, 1 the columns of a row.
    """

    axis: int

    def __init__(self, gamma: Array | None, beta: Array | None, epsilon: float) -> None:
        super().__init__()
        self.gamma, self.beta, self.epsilon = gamma, beta, epsilon
        self.parameters = [parameter for parameter in (gamma, beta) if parameter is not None]

    @property
    def adapts(self) -> bool:
        """Whether μ and σ² are those of x, and hence depend on it."""
        return True

    def of(self, x: Array) -> tuple[Array, Array]:
        """Return μ and σ², (1, O) or (B, 1)."""
        return x.mean(axis=self.axis, keepdims=True), x.var(axis=self.axis, keepdims=True)

    def normalized(self, x: Array) -> Array:
        """Compute x̂ (B, O)."""
        mean, variance = self.of(x)
        return as_float64((x - mean) / np.sqrt(variance + self.epsilon))

    def forward(self, x: Array) -> Array:
        """Compute y from x, both (B, O)."""
        self.x = x
        self.y = self.value(x)
        return self.y

    def value(self, x: Array) -> Array:
        """Compute y without keeping anything."""
        scaled = self.normalized(x) * (1 if self.gamma is None else self.gamma)
        return as_float64(scaled + (0 if self.beta is None else self.beta))

    def backward(self, dy: Array) -> Array:
        """Compute dx from dy, both (B, O), and the gradients."""
        self.dy = dy
        of_gamma, of_beta = (dy * self.normalized(self.x)).sum(axis=0), dy.sum(axis=0)
        pairs = ((self.gamma, of_gamma), (self.beta, of_beta))
        self.gradients = [gradient for parameter, gradient in pairs if parameter is not None]
        return self.input_gradient(dy, self.x)

    def input_gradient(self, dy: Array, x: Array) -> Array:
        """Compute dx step by step as in the unnumbered equations of Ioffe & Szegedy 2015, section 3."""
        mean, variance = self.of(x)
        inverse = (variance + self.epsilon) ** -0.5
        d_normalized = dy * (1 if self.gamma is None else self.gamma)
        if not self.adapts:
            return as_float64(d_normalized * inverse)
        count = x.shape[self.axis]
        d_variance = (d_normalized * (x - mean)).sum(axis=self.axis, keepdims=True) * -0.5 * inverse**3
        d_mean = -(d_normalized * inverse).sum(axis=self.axis, keepdims=True)
        d_mean = d_mean + d_variance * (-2 * (x - mean)).mean(axis=self.axis, keepdims=True)
        return as_float64(d_normalized * inverse + d_variance * 2 * (x - mean) / count + d_mean / count)


class BatchNormalization(Normalization):
    """Normalization of each column: by the batch in training, else by the moving mean and variance.

    Examples
    --------
    >>> layer = BatchNormalization(np.ones(1), np.zeros(1), np.zeros(1), np.ones(1), epsilon=1e-12, momentum=0.75)
    >>> x = np.array([[1.0], [5.0]])
    >>> layer.forward(x).round(6).tolist()
    [[1.0], [5.0]]
    >>> layer.moment = Moment(epoch=0, step=0)
    >>> layer.forward(x).round(6).tolist()
    [[-1.0], [1.0]]
    >>> layer.advance()
    >>> layer.statistics
    [array([0.75]), array([1.75])]
    """

    axis = 0

    def __init__(
        self,
        gamma: Array | None,
        beta: Array | None,
        moving_mean: Array,
        moving_variance: Array,
        epsilon: float = 1e-3,
        momentum: float = 0.99,
    ) -> None:
        super().__init__(gamma, beta, epsilon)
        self.momentum = momentum
        self.statistics = [moving_mean, moving_variance]

    @property
    def adapts(self) -> bool:
        """In training."""
        return self.moment is not None

    def of(self, x: Array) -> tuple[Array, Array]:
        """Return μ and σ² (1, O)."""
        if self.adapts:
            return super().of(x)
        mean, variance = self.statistics
        return mean[None], variance[None]

    def advance(self) -> None:
        """Let the moving statistics follow those of the last training batch, unless it has one row."""
        if len(self.x) == 1:
            return
        for moving, found in zip(self.statistics, super().of(self.x), strict=True):
            moving[...] = self.momentum * moving + (1 - self.momentum) * found[0]


class LayerNormalization(Normalization):
    """Normalization of each row (Ba, Kiros & Hinton 2016, equation 3).

    Examples
    --------
    >>> layer = LayerNormalization(np.array([2.0, 2.0]), np.zeros(2), epsilon=1e-12)
    >>> layer.forward(np.array([[1.0, 5.0]])).round(6)
    array([[-2.,  2.]])
    """

    axis = 1

    def __init__(self, gamma: Array | None, beta: Array | None, epsilon: float = 1e-3) -> None:
        super().__init__(gamma, beta, epsilon)


class Rescale(Layer):
    """y = scale x + offset.

    Examples
    --------
    >>> Rescale(0.5, -1.0).forward(np.array([[4.0]]))
    array([[1.]])
    """

    def __init__(self, scale: float, offset: float = 0.0) -> None:
        super().__init__()
        self.scale, self.offset = scale, offset

    def forward(self, x: Array) -> Array:
        """Compute y from x, both (B, O)."""
        self.x = x
        self.y = self.scale * x + self.offset
        return self.y

    def backward(self, dy: Array) -> Array:
        """Compute dx from dy, both (B, O)."""
        self.dy = dy
        return dy * self.scale


class Flatten(Layer):
    """y has the elements of each of x's samples in a row: (B, …) becomes (B, O).

    Examples
    --------
    >>> Flatten().forward(np.zeros((5, 28, 28))).shape
    (5, 784)
    """

    def forward(self, x: Array) -> Array:
        """Compute y (B, O) from x (B, …)."""
        self.x = x
        self.y = x.reshape(len(x), -1)
        return self.y

    def backward(self, dy: Array) -> Array:
        """Compute dx (B, …) from dy (B, O)."""
        self.dy = dy
        return dy.reshape(self.x.shape)
