"""The one array type of the reference."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[np.float64]


def as_float64(values: ArrayLike) -> Array:
    """Return the values as a float64 array.

    Examples
    --------
    >>> as_float64([1, 2])
    array([1., 2.])
    """
    return np.asarray(values, np.float64)
