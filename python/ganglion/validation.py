"""What a fit evaluates after each epoch: rows that are held out, or data of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ganglion import inputs
from ganglion.rows import Rows, checked

if TYPE_CHECKING:
    from ganglion.trainer import Trainer

__all__ = ["split", "validate_batches"]


def split(trainer: Trainer, data: Rows, share: object, given: object) -> tuple[Rows, Rows | None]:
    """Data to train on and data to evaluate on; all of it is checked, the former's features aside.

    Raises
    ------
    TypeError, ValueError
        If `share` and `given` are not what `Trainer.fit` says of ``validation_split`` and ``validation_data``.
    """
    share = inputs.real("validation_split", share, minimum=0, below=1)
    if given is not None:
        if share:
            raise ValueError("give validation_split or validation_data, not both")
        return data, _given(trainer, given, data.x.shape[1])
    if not share:
        return data, None
    rows = len(data.x)
    cut = math.floor(rows * (1 - share))
    if not 0 < cut < rows:
        raise ValueError(f"validation_split {share} of {rows} rows leaves none on one side; give validation_data")
    inputs.check_finite("x", data.x, trainer.model.dtype, start=cut)
    return data.split(cut)


def validate_batches(trainer: Trainer, y: object, sample_weight: object, share: object, given: object) -> Rows | None:
    """Data to evaluate on beside an iterable of batches, which leaves no room for some arguments.

    Raises
    ------
    TypeError, ValueError
        If one of them is given, or the data is wrong.
    """
    if y is not None:
        raise TypeError("x is an iterable of batches (x, y), which bring their targets: leave out y")
    if sample_weight is not None:
        raise ValueError("sample_weight needs arrays; a batch of an iterable brings its own: (x, y, sample_weight)")
    if inputs.real("validation_split", share, minimum=0, below=1):
        raise ValueError("validation_split needs arrays; with an iterable of batches give validation_data")
    return None if given is None else _given(trainer, given, None)


def _given(trainer: Trainer, given: object, columns: int | None) -> Rows:
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        length = f" of length {len(given)}" if isinstance(given, (tuple, list)) else ""
        raise ValueError(f"validation_data must be a pair (x, y); given {type(given).__name__}{length}")
    data = checked(trainer.model, trainer.loss, given[0], given[1], "validation_data[0]", "validation_data[1]")
    if columns is not None and data.x.shape[1] != columns:
        raise ValueError(f"validation_data[0] must have as many columns as x, {columns}; given {data.x.shape[1]}")
    inputs.check_finite("validation_data[0]", data.x, trainer.model.dtype)
    return data
