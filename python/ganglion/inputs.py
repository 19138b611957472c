"""What users may pass: numbers, arrays and targets, checked here and nowhere else.

Messages name the argument, what was expected, what was given, the first bad index and what to do. A wrong kind of thing
is a TypeError, a wrong value or shape a ValueError.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeGuard

import numpy as np

from ganglion import _native, frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

__all__ = [
    "Targets",
    "check_finite",
    "distributions",
    "dtype_name",
    "element",
    "features",
    "first_where",
    "flag",
    "flat_shape",
    "flattened",
    "in_place",
    "integer",
    "labels",
    "numeric",
    "path",
    "real",
    "shape",
    "size",
    "targets",
    "values",
]

# The core reads these where they lie, row by row; everything else is one copy in the network's type.
READ_IN_PLACE = frozenset("fdB")
NUMERIC_KINDS = frozenset("biuf")
BLOCK = 1 << 20  # elements that a check looks at in one go, so that its temporary arrays stay small
DISTRIBUTION_TOLERANCE = 1e-3
LARGEST_COUNT = 2**31 - 1  # of rows, steps and epochs; the core's own limit for rows


def integer(argument: str, value: object, minimum: int | None = None, maximum: int | None = None) -> int:
    """An int, from Python or NumPy; no bool, float or string.

    Examples
    --------
    >>> integer("epochs", 3, minimum=0)
    3
    >>> integer("epochs", 3.0)
    Traceback (most recent call last):
    ...
    TypeError: epochs must be an integer; given 3.0 of type float
    """
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{argument} must be an integer; given {value!r} of type {type(value).__name__}") from None
    if minimum is not None and number < minimum:
        raise ValueError(f"{argument} must be at least {minimum}; given {number}")
    if maximum is not None and number > maximum:
        raise ValueError(f"{argument} must be at most {maximum}; given {number}")
    return number


def real(
    argument: str,
    value: object,
    *,
    above: float | None = None,
    minimum: float | None = None,
    below: float | None = None,
) -> float:
    """A finite float within bounds; an int will do, a bool or string will not."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{argument} must be a number; given {value!r} of type {type(value).__name__}")
    bounds = [f"{sign} {bound}" for sign, bound in ((">", above), (">=", minimum), ("<", below)) if bound is not None]
    try:
        number = float(value)
    except OverflowError:  # an int, which knows no bounds
        number = math.inf
    fits = (
        math.isfinite(number)
        and (above is None or number > above)
        and (minimum is None or number >= minimum)
        and (below is None or number < below)
    )
    if not fits:
        remedy = f"; for {value} % write {number / 100:g}" if minimum == 0 and below == 1 and 10 <= number < 100 else ""
        raise ValueError(f"{argument} must be {' and '.join(['finite', *bounds])}; given {value}{remedy}")
    return number


def flag(argument: str, value: object) -> bool:
    """True or False, from Python or NumPy."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument} must be True or False; given {value!r} of type {type(value).__name__}")
    return bool(value)


def path(argument: str, value: object) -> Path:
    """A path, from one or from its text."""
    try:
        return Path(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{argument} must be a path; given {value!r} of type {type(value).__name__}") from None


def size(argument: str, value: object) -> int:
    """The number of features that a shape like ``(784,)`` or ``[784]`` means."""
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{argument} must be a tuple like (784,); given {value!r} of type {type(value).__name__}")
    numbers = _sizes(argument, value)
    if len(numbers) != 1:
        remedy = f"; flatten each row: ({math.prod(numbers)},)" if numbers else ""
        if len(numbers) == 2:
            remedy += f", or leave out the number of rows: ({numbers[1]},)"
        raise ValueError(f"{argument} must hold one size, like (784,); given {tuple(value)}{remedy}")
    return numbers[0]


def flat_shape(argument: str, value: object) -> tuple[int, ...]:
    """A shape of one size, like ``(784,)``."""
    return (size(argument, value),)


def shape(argument: str, value: object) -> tuple[int, ...]:
    """A sample's shape, of one size or more: ``(784,)`` or ``(28, 28)``."""
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{argument} must be a tuple like (28, 28); given {value!r} of type {type(value).__name__}")
    if not value:
        raise ValueError(f"{argument} must hold at least one size, like (784,); given {tuple(value)}")
    return _sizes(argument, value)


def _sizes(argument: str, value: Sequence[object]) -> tuple[int, ...]:
    if any(number is None for number in value):
        rest = tuple(value[1:])
        remedy = "write how many features a row has" if None in rest or not rest else f"leave out the rows: {rest}"
        raise TypeError(f"{argument} must hold sizes, like (784,); given {tuple(value)}: {remedy}")
    return tuple(integer(argument, number, minimum=1) for number in value)


def flattened(argument: str, value: object, sample: Sequence[int] | None) -> Array:
    """Samples of any shape, `sample` where it is known, as (n, features); a view where NumPy can make one."""
    array = numeric(argument, value)
    if array.ndim <= 2:
        return array
    if sample is not None and len(sample) > 1 and array.shape[1:] != tuple(sample):
        sizes = ", ".join(map(str, sample))
        raise ValueError(f"{argument} must have shape (n, {sizes}) or (n, {math.prod(sample)}); given {array.shape}")
    return array.reshape(len(array), math.prod(array.shape[1:]))


def dtype_name(value: object) -> Literal["float32", "float64"]:
    """What a network computes in, from a name or a NumPy type."""
    try:
        name = np.dtype(value).name  # type: ignore[call-overload]
    except TypeError:
        name = None
    if value is None or name not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64'; given {value!r}")
    return "float32" if name == "float32" else "float64"


def numeric(argument: str, value: object) -> Array:
    """An array of real numbers, without a copy where `value` is one."""
    array = value if type(value) is np.ndarray else _as_array(argument, value)
    if array.dtype.kind not in NUMERIC_KINDS:
        index = first_where(array, lambda block: block == None) if array.dtype.kind == "O" and array.ndim else None  # noqa: E711
        if index is not None:
            raise TypeError(
                f"{argument} must be an array of real numbers; {element(argument, index)} is None: remove such rows or "
                "fill the gaps"
            )
        raise TypeError(
            f"{argument} must be an array of real numbers; given {type(value).__name__} of dtype {array.dtype}; "
            f"convert it first, for instance with np.asarray({argument}, dtype=np.float32)"
        )
    return array


def _as_array(argument: str, value: object) -> Array:
    """What is no array of NumPy's own type as one, of whatever elements."""
    remedy = ""
    if hasattr(value, "toarray"):
        remedy = f"a sparse matrix; pass {argument}.toarray()"
    elif hasattr(value, "mask") and hasattr(value, "filled"):
        remedy = f"a masked array; pass {argument}.filled(value) or the rows without masked entries"
    elif hasattr(value, "collect") and hasattr(value, "lazy"):
        remedy = f"a lazy frame; pass {argument}.collect()"
    elif inspect.isroutine(value):
        remedy = f"a function; pass what it gives, {argument}()"
    if remedy:
        raise TypeError(f"{argument} must be an array of real numbers; given {remedy}")
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{argument} must be a rectangular array, all rows of one length{_ragged(argument, value)}"
        ) from None


def _ragged(argument: str, value: object) -> str:
    """Where rows begin to differ in length, if it is there that they do."""
    rows = value if isinstance(value, (list, tuple)) else ()
    lengths = [len(row) if hasattr(row, "__len__") else None for row in rows]
    other = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    if other is None or None in (lengths[0], lengths[other]):
        return ""
    return f"; {argument}[0] has {lengths[0]} and {argument}[{other}] {lengths[other]}: cut or fill up the rows"


def targets(argument: str, value: object) -> Array:
    """An array of real numbers for a loss to look at; class names and None are told what they need."""
    if value is None:
        raise TypeError(f"{argument} is missing: give one target for each row; given None")
    try:
        return frames.array(argument, value) if frames.is_table(value) else numeric(argument, value)
    except TypeError:
        array = np.asarray(value)
        if array.dtype.kind not in "UST" and not any(isinstance(element, str) for element in array.flat):
            raise
    raise TypeError(
        f"{argument} must be an array of real numbers; given text; number the classes first: "
        f"names, labels = np.unique({argument}, return_inverse=True)"
    )


def in_place(x: object, columns: int) -> TypeGuard[Array]:
    """Whether the core can read x where it lies: (n, columns), n > 0, of a known type and with contiguous rows."""
    if type(x) is not np.ndarray or x.ndim != 2 or x.shape[1] != columns or x.size == 0:
        return False
    flags = x.flags
    contiguous = flags.c_contiguous or (x.strides[1] == x.itemsize and x.strides[0] > 0)
    return contiguous and flags.aligned and x.dtype.char in READ_IN_PLACE and x.dtype.isnative


def features(argument: str, value: object, columns: int | None, dtype: str) -> Array:
    """Features as an (n, columns) array for the core; `columns` None takes any number of them.

    float32, float64 and uint8 arrays with contiguous rows come back as they are: whoever reads them tests for NaN and
    infinity on the way. Everything else is copied once and, unless NumPy makes such an array of it, tested here.
    """
    if frames.is_table(value):
        value = frames.array(argument, value, dtype)
        if value.ndim == 1:
            expected = f"{argument} must have shape (n, features)"
            raise ValueError(f"{expected}; given a column of {len(value)}; pass {argument}.to_frame()")
    array = numeric(argument, value)
    if array.ndim != 2 or (columns is not None and array.shape[1] != columns):
        raise ValueError(_wrong_shape(argument, array.shape, columns))
    if array.shape[1] == 0:
        raise ValueError(f"{argument} must have at least one column; given {array.shape}")
    if in_place(array, array.shape[1]):
        return array
    if isinstance(value, np.memmap) and array.size > 0:
        raise TypeError(
            f"{argument} is a memory-mapped file of {array.dtype} that would have to be copied whole: float32, float64 "
            "and uint8 are read where they lie, row by row; write the file so, give batches of it, or pass "
            f"np.array({argument}) if it fits into memory"
        )
    return values(argument, array, dtype)


def _wrong_shape(argument: str, shape: tuple[int, ...], columns: int | None) -> str:
    features = math.prod(shape[1:])
    remedy = ""
    if len(shape) == 1 and columns in (None, 1):
        remedy = f"; for samples of one feature pass {argument}[:, None]"
    elif len(shape) == 1 and columns == shape[0]:
        remedy = f"; for one sample pass {argument}[None, :]"
    elif len(shape) > 2 and columns in (None, features):
        remedy = f"; flatten the samples: {argument}.reshape({shape[0]}, {features})"
    elif len(shape) == 2 and columns == shape[0]:
        remedy = f"; if its columns are the samples, pass {argument}.T"
    expected = "(n, features)" if columns is None else f"(n, {columns}), {columns} being what the model takes"
    return f"{argument} must have shape {expected}; given {shape}{remedy}"


def values(argument: str, array: Array, dtype: str, remedy: str = "remove such rows or fill the gaps") -> Array:
    """A C-contiguous copy in `dtype`, all finite; `remedy` is for NaN and infinity."""
    with np.errstate(over="ignore", invalid="ignore"):
        copy: Array = np.array(array, dtype=dtype, order="C")
        if math.isfinite(copy.sum()):  # one NaN or infinity is enough that it is not
            return copy
    index = first_where(copy, lambda block: ~np.isfinite(block))
    if index is not None:
        raise ValueError(_not_finite(argument, array, index, dtype, remedy))
    return copy


def check_finite(argument: str, array: Array, dtype: str, start: int = 0) -> None:
    """Refuse NaN, infinity and what overflows `dtype` in features that stay where they lie, from row `start` on."""
    if array.dtype.kind == "f":
        limit = np.finfo(dtype).max
        index = first_where(array, lambda block: ~(np.abs(block) <= limit), start)
        if index is not None:
            raise ValueError(_not_finite(argument, array, index, dtype, "remove such rows or fill the gaps"))


def _not_finite(argument: str, array: Array, index: tuple[int, ...], dtype: str, remedy: str) -> str:
    if np.isfinite(array[index]):
        remedy = f"too large for {dtype}: rescale it, or build the model with dtype='float64'"
    return f"{argument} must be finite; {element(argument, index)} is {array[index]}; {remedy}"


def labels(argument: str, array: Array, classes: int) -> Array:
    """Labels 0 … classes−1 as an int32 copy of shape (n,), from integers or whole floats of shape (n,) or (n, 1)."""
    known: Array | None = _native.labels(array, classes)
    if known is not None:
        return known
    copy = np.array(array).reshape(-1)
    expected = f"{argument} must hold labels 0 to {classes - 1}, as the model has {classes} outputs"
    if copy.dtype.kind == "f":
        index = first_where(copy, lambda block: ~(np.isfinite(block) & (block == np.rint(block))))
        if index is not None:
            remedy = "use loss='mse' for values that are no classes" if np.isfinite(copy[index]) else "remove such rows"
            given = f"{element(argument, index)} is {copy[index]}, not a whole number"
            raise ValueError(f"{expected}; {given}: {remedy}")
    index = first_where(copy, lambda block: (block < 0) | (block >= classes))
    if index is not None:
        label = int(copy[index])
        shown = label if abs(label) <= LARGEST_COUNT else copy[index]  # 1e300 has 300 digits
        remedy = f"; give the last layer at least {label + 1} units, or renumber them"
        if label < 0:
            remedy = "; classes count from 0: renumber them, or remove such rows"
        elif label == classes and copy.min() >= 1:
            remedy = f"; if yours start at 1, pass {argument} - 1"
        elif label > LARGEST_COUNT:
            remedy = "; renumber them, or use loss='mse' for values that are no classes"
        raise ValueError(f"{expected}; {element(argument, index)} is {shown}{remedy}")
    return copy.astype(np.int32)


def distributions(argument: str, array: Array, dtype: str) -> Array:
    """One-hot rows or probabilities, (n, classes), as a copy in `dtype`: nothing negative, rows that sum to 1."""
    copy = values(argument, array, dtype)
    expected = f"{argument} must hold one-hot rows or distributions"
    index = first_where(copy, lambda block: block < 0)
    if index is not None:
        raise ValueError(f"{expected}; {element(argument, index)} is {copy[index]}")
    index = first_where(copy, lambda block: np.abs(block.sum(axis=1) - 1) > DISTRIBUTION_TOLERANCE)
    if index is not None:
        total = f"{copy[index].sum():.6g}"
        raise ValueError(f"{expected}; {element(argument, index)} sums to {total}, not 1; labels have shape (n,)")
    return copy


def exact_shape(argument: str, given: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """Refuse another shape than the expected one."""
    if given != expected:
        remedy = "; pass its transpose, .T" if given == expected[::-1] else ""
        raise ValueError(f"{argument} must have shape {expected}; given {given}{remedy}")


def element(argument: str, index: tuple[int, ...]) -> str:
    """How a message names an element or row: ``x[3, 5]``."""
    return f"{argument}[{', '.join(map(str, index))}]"


def first_where(array: Array, test: Callable[[Array], Array], start: int = 0) -> tuple[int, ...] | None:
    """Index of the first element, in C order from row `start` on, that a test finds true; None where there is none."""
    rows = max(1, BLOCK // max(1, math.prod(array.shape[1:])))
    for first in range(start, len(array), rows):
        found = test(array[first : first + rows])
        if found.any():
            row, *columns = (int(i) for i in np.unravel_index(np.argmax(found), found.shape))
            return (first + row, *columns)
    return None


class Targets(NamedTuple):
    """What a loss compares the outputs with: int32 labels (n,), or values (n, O) in the network's type."""

    kind: Literal["labels", "values"]
    array: Array
