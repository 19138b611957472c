"""What a monitor saw, kept as the core gives it until somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Exact = NDArray[np.float64]
    Series = dict[str, list[float]]  # a value for each look, by quantity

__all__ = ["QUANTITIES", "Looks"]

# As the core orders them.
QUANTITIES = ("gradient_norm", "weight_norm", "update_ratio", "zeros", "saturated", "dead")


class Looks:
    """The looks of one fit, and the losses of its batches.

    A list of Python's numbers takes longer to make than a small network's step, so it is made when it is read.

    Attributes
    ----------
    steps : list of int
        The steps looked at.
    layers : dict of str to dict of str to list of float
        By layer and quantity a value for each look.
    losses : list of float
        Of every batch.
    """

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._layers: dict[str, Series] = {}
        self._losses: list[float] = []
        self._new: list[tuple[Sequence[str], Exact, Exact]] = []

    def add(self, steps: Sequence[int], names: Sequence[str], values: Exact, losses: Exact) -> None:
        """Take what `Training.watched` gives."""
        self._steps.extend(steps)
        self._new.append((names, values, losses))

    def _read(self) -> None:
        while self._new:
            names, values, losses = self._new.pop(0)
            self._losses.extend(losses.tolist())
            if len(values) == 0:
                continue
            for name, series in zip(names, values.transpose(1, 2, 0).tolist(), strict=True):
                known = self._layers.setdefault(name, {quantity: [] for quantity in QUANTITIES})
                for quantity, numbers in zip(QUANTITIES, series, strict=True):
                    known[quantity].extend(numbers)

    @property
    def steps(self) -> list[int]:
        """The steps looked at."""
        return self._steps

    @property
    def layers(self) -> dict[str, Series]:
        """By layer and quantity a value for each look."""
        self._read()
        return self._layers

    @property
    def losses(self) -> list[float]:
        """The loss of every batch."""
        self._read()
        return self._losses
