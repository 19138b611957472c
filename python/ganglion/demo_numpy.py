"""The demo's training in NumPy alone, float32, as a process of its own: ``python -m ganglion.demo_numpy WORK.npz``.

Same network, initial weights, batches, loss and optimizer as ganglion's, written as one would by hand with care: no copy
that is not needed, updates in place. Prints the loss of each epoch and the seconds as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_work", "train", "write_work"]

Array = NDArray[np.float32]
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def write_work(
    path: Path, x: Array, y: NDArray[np.int64], weights: list[Array], orders: Any, rate: float, batch: int
) -> None:
    """Write what `train` needs."""
