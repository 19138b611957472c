"""Features and targets that belong together, checked: what the trainer and `ganglion.verify` hand to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ganglion import _native, inputs
from ganglion.inputs import Targets

if TYPE_CHECKING:
    from ganglion.inputs import Array
    from ganglion.losses import Loss
    from ganglion.sequential import Sequential

__all__ = ["Rows", "checked"]


class Rows(NamedTuple):
    """Features (n, I), read where they lie if the core can, as many targets, and how much each row counts."""

    x: Array
    targets: Targets
    weights: Array | None = None  # (n,), in the network's type; None: all 1

    def feed(self) -> _native.Feed:
        """What the core reads from."""
        kind, array = self.targets
        labels, values = (array, None) if kind == "labels" else (None, array)
        return _native.Feed(self.x, labels, values, self.weights)

    def split(self, row: int) -> tuple[Rows, Rows]:
        """The rows before this one and those from it on."""
        return self._part(slice(0, row)), self._part(slice(row, None))

    def _part(self, rows: slice) -> Rows:
        kind, array = self.targets
        return Rows(self.x[rows], Targets(kind, array[rows]), None if self.weights is None else self.weights[rows])


def checked(model: Sequential, loss: Loss, x: object, y: object, x_argument: str = "x", y_argument: str = "y") -> Rows:
    """Rows for a model as it is or, where its sizes are still open, as it would become.

    Raises
    ------
    TypeError, ValueError
        All that can be wrong with them, but for NaN and infinity in features that stay where they lie.
    """
    known = None if model.input_shape is None else model.network.inputs
    if model.architecture.flattens:
        x = inputs.flattened(x_argument, x, model.layers[0].input_shape)
    if getattr(x, "ndim", 0) == 1 and getattr(y, "ndim", 0) == 2:
        given = f"{x_argument} has shape {getattr(x, 'shape', '')} and {y_argument} {getattr(y, 'shape', '')}"
        raise ValueError(f"{given}: features (n, features) come first, then targets; are they swapped?")
    array = inputs.features(x_argument, x, known, model.dtype)
    targets = inputs.targets(y_argument, y)
    if targets.ndim > 0 and len(targets) != len(array):
        counts = f"{x_argument} has {len(array)}, {y_argument} has {len(targets)}"
        raise ValueError(f"{x_argument} and {y_argument} must have as many rows; {counts}")
    if len(array) == 0:
        raise ValueError(f"{x_argument} must have at least one row; given {array.shape}")
    outputs = model.architecture.sizes(array.shape[1])[-1]
    return Rows(array, loss.targets(y_argument, targets, outputs, model.dtype))
