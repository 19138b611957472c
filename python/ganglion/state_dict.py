"""Arrays by name, checked against the parameters of a model before any is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ganglion import inputs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array

__all__ = ["matching"]


def matching(state: Mapping[str, ArrayLike], shapes: Mapping[str, tuple[int, ...]], dtype: str) -> list[Array]:
    """A copy in `dtype` of the array for each of these names.

    Raises
    ------
    ValueError
        If a name is missing or unknown, a shape differs, or a value is not finite.
    """
    missing = [name for name in shapes if name not in state]
    unknown = [name for name in state if name not in shapes]
    if missing or unknown:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"has {', '.join(map(str, unknown))}, which the model lacks"] if unknown else []
        raise ValueError(f"the state {' and '.join(parts)}")
    arrays = []
    for name, shape in shapes.items():
        array = inputs.numeric(name, state[name])
        inputs.exact_shape(name, array.shape, shape)
        arrays.append(inputs.values(name, array, dtype, "take the weights from before they became so"))
        if name.endswith((".moving_variance", ".running_var")) and array.min() < 0:
            raise ValueError(f"{name} must hold no negative number; given {array.min()}")
    return arrays
