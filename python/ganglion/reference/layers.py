"""Layers: forward keeps what backward needs, backward leaves the gradients of the layer's own parameters behind."""

from abc import ABC, abstractmethod
from typing import NamedTuple

from .activations import ACTIVATIONS
from .array import Array


class Moment(NamedTuple):
    """Where in training a pass is: what a dropout drops depends on it.

    Attributes
    ----------
    epoch
        The first is 0.
    step
        Steps made since training began.
    """

    epoch: int
    step: int


class Layer(ABC):
    """Base of the layers.

    Attributes
    ----------
    parameters
        What training changes by gradients.
    gradients
        Theirs, after `backward`.
    statistics
        What else training changes, in `advance`.
    moment
        In training, when; else None.
    x, y, dy
        Of the last passes.
    """

    moment: Moment | None = None
    x: Array
    y: Array
    dy: Array

    def __init__(self) -> None:
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []
        self.statistics: list[Array] = []

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """Compute y from x."""

    @abstractmethod
    def backward(self, dy: Array) -> Array:
        """Compute dx from dy, and the gradients."""

    def advance(self) -> None:
        """End a step of training whose passes were the last ones."""
        return


def matmul(a: Array, b: Array) -> Array:
    """Compute c_ij = Σ_k a_ik b_kj; (M, K), (K, N) → (M, N).

    Examples
    --------
    >>> import numpy as np
    >>> matmul(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """
    return a @ b


def matmul_backward(a: Array, b: Array, dc: Array) -> tuple[Array, Array]:
    """Compute da = dc bᵀ (M, K) and db = aᵀ dc (K, N), from c = a b.

    Examples
    --------
    >>> import numpy as np
    >>> matmul_backward(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([[1.0]]))
    (array([[3., 4.]]), array([[1.],
           [2.]]))
    """
    return dc @ b.T, a.T @ dc


class Dense(Layer):
    """y = x W + b, for x (B, I), W (I, O), b (O,) or None.

    After `backward`, `gradients` holds dW and db, in the order of `parameters`.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Dense(np.array([[1.0], [2.0]]), np.array([0.5]))
    >>> layer.forward(np.array([[3.0, 4.0]]))
    array([[11.5]])
    >>> layer.backward(np.array([[1.0]]))
    array([[1., 2.]])
    >>> layer.gradients
    [array([[3.],
           [4.]]), array([1.])]
    """

    l1, l2 = 0.0, 0.0  # of the kernel's `penalty`, which `Sequential.gradients` adds

    def __init__(self, kernel: Array, bias: Array | None = None) -> None:
        super().__init__()
        self.parameters = [kernel] if bias is None else [kernel, bias]

    def forward(self, x: Array) -> Array:
        """Compute y (B, O) from x (B, I)."""
        self.x = x
        self.y = matmul(x, self.parameters[0])
        if len(self.parameters) == 2:
            self.y = self.y + self.parameters[1]
        return self.y

    def backward(self, dy: Array) -> Array:
        """Compute dx (B, I) from dy (B, O), and the gradients."""
        self.dy = dy
        dx, dkernel = matmul_backward(self.x, self.parameters[0], dy)
        self.gradients = [dkernel] if len(self.parameters) == 1 else [dkernel, dy.sum(axis=0)]
        return dx


class Activation(Layer):
    """y = f(x), row `name` of the table of activations, which says what options (`alpha`) it takes.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Activation("leaky_relu", alpha=0.5)
    >>> layer.forward(np.array([[-2.0, 3.0]]))
    array([[-1.,  3.]])
    >>> layer.backward(np.array([[1.0, 1.0]]))
    array([[0.5, 1. ]])
    """

    def __init__(self, name: str, **options: float) -> None:
        super().__init__()
        self.name = name
        self.row = ACTIVATIONS[name]
        self.options = options

    def forward(self, x: Array) -> Array:
        """Compute y from x, both (B, O)."""
        self.x = x
        self.y = self.row.function(x, **self.options)
        return self.y

    def backward(self, dy: Array) -> Array:
        """Compute dx from dy, both (B, O)."""
        self.dy = dy
        if self.row.backward is None:
            raise ValueError(f"nothing can be trained through the activation {self.name!r}")
        return self.row.backward(dy, self.x, **self.options)
