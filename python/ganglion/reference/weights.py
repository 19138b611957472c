"""Rows that count more or less than others in a loss."""

import numpy as np
from numpy.typing import ArrayLike

from .array import Array, as_float64
from .losses import LOSSES


def weighted(loss: str, output: Array, targets: ArrayLike, weights: ArrayLike, **options: float) -> tuple[float, Array]:
    """Compute L = 1/B Σ_b w_b l_b and dL/doutput, l_b being what `loss`, a name in `LOSSES`, makes of row b alone.

    The divisor is the number of rows, not Σ w, as in Keras.

    Examples
    --------
    >>> weighted("mse", np.array([[1.0], [3.0]]), [[0.0], [0.0]], [1.0, 0.5])
    (2.75, array([[1. ],
           [1.5]]))
    """
    t, w = np.asarray(targets), as_float64(weights)
    rows = [LOSSES[loss].function(output[b : b + 1], t[b : b + 1], **options) for b in range(len(output))]
    total = sum(w[b] * value for b, (value, _) in enumerate(rows)) / len(output)
    return float(total), np.concatenate([w[b] * gradient for b, (_, gradient) in enumerate(rows)]) / len(output)
