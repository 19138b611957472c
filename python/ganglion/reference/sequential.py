"""A network: layers one after the other."""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from .array import Array, as_float64
from .layers import Dense, Layer, Moment
from .losses import LOSSES
from .regularizers import penalty
from .weights import weighted

FIRST = Moment(0, 0)


class Sequential:
    """Layers one after the other.

    Parameters
    ----------
    layers
        What `forward` goes through from first to last and `backward` from last to first.

    Examples
    --------
    >>> import numpy as np
    >>> from ganglion.reference import Activation, Dense
    >>> model = Sequential([Dense(np.array([[1.0], [-1.0]])), Activation("relu")])
    >>> model.forward([[3.0, 1.0]])
    array([[2.]])
    >>> loss, gradients = model.gradients([[3.0, 1.0]], [[0.0]], loss="mse")
    >>> loss, gradients
    (4.0, [array([[12.],
           [ 4.]])])
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)

    @property
    def parameters(self) -> list[Array]:
        """The layers' own arrays, not copies: kernel (I, O) and bias (O,) of each dense layer in order."""
        return [parameter for layer in self.layers for parameter in layer.parameters]

    @property
    def weights(self) -> list[Array]:
        """The layers' own arrays with their statistics, layer by layer."""
        return [array for layer in self.layers for array in layer.parameters + layer.statistics]

    def forward(self, x: ArrayLike, moment: Moment | None = None) -> Array:
        """Compute the last layer's output (B, O) from x (B, I); `moment` says when in training, if it is training."""
        y = as_float64(x)
        for layer in self.layers:
            layer.moment = moment
            y = layer.forward(y)
        return y

    def backward(self, dy: Array) -> Array:
        """Compute the gradient with respect to the x of the last `forward` from that with respect to its result."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    def gradients(
        self,
        x: ArrayLike,
        targets: ArrayLike,
        loss: str,
        weights: ArrayLike | None = None,
        moment: Moment = FIRST,
        **options: float,
    ) -> tuple[float, list[Array]]:
        """Compute the loss of a batch in training and its gradients, in the order of `parameters`.

        `loss` is a name in `LOSSES`. `weights` (B,) are those of the rows in the loss, as in `weighted`; the options
        are the loss's.
        """
        output = self.forward(x, moment)
        if weights is None:
            value, dy = LOSSES[loss].function(output, targets, **options)
        else:
            value, dy = weighted(loss, output, targets, weights, **options)
        self.backward(dy)
        for layer in self.layers:
            if isinstance(layer, Dense):
                of_kernel, gradient = penalty(layer.parameters[0], layer.l1, layer.l2)
                value += of_kernel
                layer.gradients[0] = layer.gradients[0] + gradient
        return value, [gradient for layer in self.layers for gradient in layer.gradients]
