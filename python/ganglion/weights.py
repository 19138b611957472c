"""How much each row counts in the loss: weights of rows and of classes, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ganglion import frames, inputs

if TYPE_CHECKING:
    from ganglion.inputs import Array
    from ganglion.rows import Rows
    from ganglion.sequential import Sequential

__all__ = ["by_class", "by_row"]


def by_row(data: Rows, sample_weight: object, dtype: str, argument: str = "sample_weight") -> Rows:
    """The same rows, each counting as often as `sample_weight` says, (n,); None: once.

    Raises
    ------
    TypeError, ValueError
        If it does not hold n finite numbers, 0 or greater.
    """
    if sample_weight is None:
        return data
    if frames.is_table(sample_weight):
        sample_weight = frames.array(argument, sample_weight)
    array = inputs.numeric(argument, sample_weight)
    n = len(data.x)
    if array.shape != (n,):
        remedy = f"; pass {argument}.reshape({n})" if array.shape == (n, 1) else ""
        raise ValueError(f"{argument} must have one weight a row, shape ({n},); given {array.shape}{remedy}")
    weights = inputs.values(argument, array, dtype, "give such rows the weight 0, or remove them")
    index = inputs.first_where(weights, lambda block: block < 0)
    if index is not None:
        raise ValueError(f"{argument} must be at least 0; {inputs.element(argument, index)} is {array[index]}")
    return _multiplied(data, weights)


def by_class(data: Rows, class_weight: object, model: Sequential) -> Rows:
    """The same rows, each counting as often as its class in ``{class: weight}`` says, those not named once.

    Classes are those of labels, of one-hot rows, or 0 and 1 in one column. Weights of rows and of classes multiply.

    Raises
    ------
    TypeError, ValueError
        If it is no such dictionary, names a class that there is not, or the targets are no classes.
    """
    if class_weight is None:
        return data
    if not isinstance(class_weight, Mapping):
        remedy = ""
        if isinstance(class_weight, str) and class_weight == "balanced":
            remedy = "; balanced are dict(enumerate(len(y) / (classes * np.bincount(y)))), for labels y"
        raise TypeError(f"class_weight must be a dictionary like {{0: 1.0, 1: 5.0}}; given {class_weight!r}{remedy}")
    dtype, classes = model.dtype, max(2, model.architecture.sizes(data.x.shape[1])[-1])
    table = np.ones(classes, dtype)
    for key, weight in class_weight.items():
        if isinstance(key, str):
            raise TypeError(f"class_weight must have the classes' numbers, 0 to {classes - 1}, as keys; given {key!r}")
        label = inputs.integer("a key of class_weight", key)
        if not 0 <= label < classes:
            raise ValueError(f"class_weight must have keys from 0 to {classes - 1}, the model's classes; given {label}")
        number = inputs.real(f"class_weight[{label}]", weight, minimum=0)
        if number > float(np.finfo(dtype).max):
            raise ValueError(f"class_weight[{label}] must be finite in {dtype}; given {weight}")
        table[label] = number
    return _multiplied(data, table[_labels(data)])


def _labels(data: Rows) -> Array:
    kind, array = data.targets
    if kind == "labels":
        return array
    if ((array == 0) | (array == 1)).all():
        if array.shape[1] == 1:
            return array[:, 0].astype(np.int64)
        if (array.sum(axis=1) == 1).all():
            labels: Array = np.argmax(array, axis=1)
            return labels
    raise ValueError(
        "class_weight needs classes: labels, one-hot rows, or 0 and 1 in one column; y holds other values: "
        "weigh the rows by sample_weight"
    )


def _multiplied(data: Rows, weights: Array) -> Rows:
    return data._replace(weights=weights if data.weights is None else data.weights * weights)
