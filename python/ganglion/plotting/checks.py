"""What the drawing functions ask of their arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion import frames, inputs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array

__all__ = ["classes", "curves", "finite", "limits", "numbers", "pixels", "same_length", "values"]


def numbers(argument: str, value: object, columns: int | None = None) -> Array:
    """Real numbers as float64: (n,), from (n,) or (n, 1); or (n, columns)."""
    if frames.is_table(value):
        value = frames.array(argument, value)
    array = inputs.numeric(argument, value).astype(np.float64)
    if columns is None:
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            raise ValueError(f"{argument}: expected one number each, shape (n,), got {array.shape}")
    elif array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f"{argument}: expected {columns} columns, shape (n, {columns}), got {array.shape}")
    if len(array) == 0:
        raise ValueError(f"{argument}: expected something to draw, got nothing")
    return array


def classes(argument: str, value: object) -> Array:
    """The class of each row as an integer, from labels or from one-hot rows, probabilities or logits."""
    if frames.is_table(value):
        value = frames.array(argument, value)
    array = inputs.targets(argument, value)
    if array.ndim == 2 and array.shape[1] > 1:
        array = array.argmax(axis=1)
    array = numbers(argument, array)
    if (array != np.round(array)).any():
        wrong = array[array != np.round(array)][0]
        raise ValueError(f"{argument}: expected whole numbers, a class each, got {wrong:g}; pass predict_classes(x)")
    labels: Array = array.astype(np.int64)
    return labels


def finite(argument: str, array: Array) -> Array:
    """The array, if all of it is finite; else ValueError names the first number that is not."""
    index = inputs.first_where(array, lambda block: ~np.isfinite(block))
    if index is not None:
        raise ValueError(f"{argument}: expected finite numbers, {inputs.element(argument, index)} is {array[index]}")
    return array


def values(argument: str, f: Callable[..., Any], *points: Array) -> Array:
    """Evaluate f at points: float64 of their shape; what overflows is infinite."""
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(f(*points), np.float64)
    except TypeError as error:
        error.add_note(f"{argument} is called with arrays; write it with NumPy's functions: np.sin, not math.sin")
        raise
    if result.shape != points[0].shape:
        raise ValueError(
            f"{argument}: expected a value for each point, shape {points[0].shape}, got {result.shape}; write it with "
            "NumPy's functions, which take arrays"
        )
    return result


def same_length(one: str, first: Array, other: str, second: Array) -> None:
    """Raise ValueError if two arrays do not go together row by row."""
    if len(first) != len(second):
        raise ValueError(f"{other}: expected {len(first)} rows as {one} has, got {len(second)}")


def curves(argument: str, value: object) -> Mapping[str, Any]:
    """A mapping of names to something."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{argument}: expected names and what to draw, {{'name': …}}, got {type(value).__name__}")
    if not value:
        raise ValueError(f"{argument}: expected at least one curve to draw, got none")
    return value


def limits(argument: str, value: ArrayLike, count: int) -> list[float]:
    """(low, high) for each of `count` axes, flat or in pairs."""
    ends = [float(end) for end in np.ravel(inputs.numeric(argument, value))]
    expected = "(low, high)" if count == 1 else "(x_low, x_high, y_low, y_high)"
    if len(ends) != 2 * count or not all(map(math.isfinite, ends)):
        raise ValueError(f"{argument}: expected {expected}, got {value!r}")
    if any(low >= high for low, high in zip(ends[::2], ends[1::2], strict=True)):
        raise ValueError(f"{argument}: expected {expected} with low below high, got {value!r}")
    return ends


def pixels(shape: Sequence[int], size: int, of: str) -> tuple[int, ...]:
    """The shape of an image of `size` numbers: (height, width) or (height, width, 3)."""
    image = tuple(inputs.integer("each of shape", side, minimum=1) for side in np.atleast_1d(np.asarray(shape)))
    if len(image) not in (2, 3) or (len(image) == 3 and image[2] not in (1, 3)):
        raise ValueError(f"shape: expected (height, width) or (height, width, 3), got {shape}")
    if math.prod(image) != size:
        side = math.isqrt(size)
        remedy = f"; is it ({side}, {side})?" if side * side == size > 1 else ""
        raise ValueError(f"shape: expected {size} numbers as {of}, got {shape}, {math.prod(image)}{remedy}")
    return image[:2] if len(image) == 3 and image[2] == 1 else image
