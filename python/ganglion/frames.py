"""Frames and columns of pandas and polars, known by what they can do: neither is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

__all__ = ["array", "is_table"]

NUMERIC_KINDS = frozenset("biuf")
TEXT = ("object", "str", "category", "String", "Categorical", "Enum")  # types of pandas and polars


def is_table(value: object) -> bool:
    """Whether it is a frame or a column of pandas or polars."""
    is_column = hasattr(value, "name") and (hasattr(value, "isna") or hasattr(value, "is_null"))
    return hasattr(value, "to_numpy") and (is_column or _is_frame(value))


def _is_frame(value: object) -> bool:
    return hasattr(value, "columns") and hasattr(value, "dtypes")


def array(argument: str, table: Any, dtype: str | None = None) -> Array:
    """An array (n, columns) of a frame, a copy, or (n,) of a column.

    Parameters
    ----------
    argument
        What messages call it.
    table
        For which `is_table` is true.
    dtype
        The network's: what a frame's values become, all finite. None leaves them to NumPy's rules for mixed types.

    Raises
    ------
    TypeError
        If a column does not hold numbers; the message names it, as those below do.
    ValueError
        If a value is missing, or is not finite in `dtype`.
    """
    if not _is_frame(table):
        return _numbers(argument, table, table)
    is_polars = hasattr(table, "get_columns")
    columns = table.get_columns() if is_polars else [column for _, column in table.items()]
    numbers = [_numbers(argument, column, table) for column in columns]
    kind = np.dtype(dtype) if dtype is not None or not numbers else np.result_type(*numbers)
    rows = np.empty((len(table), len(columns)), kind)
    for i, column in enumerate(numbers):
        with np.errstate(over="ignore"):  # infinity is looked for next
            rows[:, i] = column
        wrong = ~np.isfinite(rows[:, i])
        if dtype is not None and wrong.any():
            row = int(np.argmax(wrong))
            remedy = "remove such rows or fill the gaps"
            if np.isfinite(column[row]):
                remedy = f"too large for {dtype}: rescale it, or build the model with dtype='float64'"
            raise ValueError(
                f"{argument} must be finite; column {columns[i].name!r} is {column[row]} in row {row}; {remedy}"
            )
    return rows


def _numbers(argument: str, column: Any, table: Any) -> Array:
    """A column's values, of one of NumPy's types of real numbers."""
    name, given = column.name, str(column.dtype)
    if not _is_number(column.dtype):
        remedy = "turn it into numbers first, or leave it out"
        if given == "category" and column is table:
            remedy = f"number its classes, {argument}.cat.codes, or one-hot encode it, pd.get_dummies({argument})"
        elif given.startswith(TEXT) and column is not table:
            is_polars = hasattr(table, "to_dummies")
            code = (
                f"{argument}.to_dummies({name!r})" if is_polars else f"pd.get_dummies({argument}, columns=[{name!r}])"
            )
            remedy = f"one-hot encode it, {code}, or turn it into numbers"
        where = "it" if name is None else f"column {name!r}"
        raise TypeError(f"{argument} must hold real numbers; {where} is of dtype {given}; {remedy}")
    missing = np.asarray(column.isna() if hasattr(column, "isna") else column.is_null())
    if missing.any():
        row = int(np.argmax(missing))
        where = f"column {name!r} has no value in row {row}"
        raise ValueError(f"{argument} must have no gaps; {where}; remove such rows or fill the gaps")
    values = np.asarray(column.to_numpy())
    return values if values.dtype.kind in NUMERIC_KINDS else values.astype(np.float64)


def _is_number(dtype: Any) -> bool:
    kind = getattr(dtype, "kind", None)  # pandas, as in NumPy
    if kind is not None:
        return kind in NUMERIC_KINDS
    return bool(dtype.is_numeric()) or str(dtype) == "Boolean"
