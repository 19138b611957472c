"""What the data says of itself: features and targets, read as `fit` reads them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion import inputs
from ganglion.losses import BinaryCrossEntropy, CrossEntropy, Loss
from ganglion.preflight.findings import Finding, listed, number
from ganglion.sources import is_iterable_of_batches
from ganglion.transformations import Dropout, Flatten, Normalization, Rescale

if TYPE_CHECKING:
    from ganglion.inputs import Array, Targets
    from ganglion.sequential import Sequential

__all__ = ["look_at_inputs", "look_at_targets", "read_inputs", "read_targets", "sample"]

SCANNED = 1 << 26  # elements; a larger x is looked at in every k-th row
LARGE, SMALL = 10.0, 0.01  # root mean squares of columns between which initial weights and rates are at home
LARGE_TARGET, SMALL_TARGET = 100.0, 1e-3
FEW_VALUES = 20  # so few different whole numbers look like classes
DOMINANT = 0.8  # a class with this share of the rows makes accuracy say little

BYTES = "if these are the bytes of images, begin the model with Rescale(1/255), or pass x / 255"
STANDARDIZE = (
    "standardize: mean, std = x.mean(axis=0), x.std(axis=0); x = (x - mean) / std, with the same mean and std for all "
    "data to come; or begin the model with BatchNormalization()"
)
STANDARDIZE_Y = "standardize: train on (y - mean) / std, and multiply predictions by std and add mean"
ALWAYS = "a model learns to say that and nothing else"
LOOK_AT_Y = "look at how y was read: np.unique(y, return_counts=True)"
RARE = "look at recall or F1 as well, or give fit a class_weight"


def read_inputs(model: Sequential, x: object, y: object) -> Array:
    """The features as the core takes them, (n, I).

    Raises
    ------
    TypeError, ValueError
        If `fit` would not take them.
    """
    if is_iterable_of_batches(x, y):
        raise TypeError("x is an iterable of batches: give check the arrays of one, like x, y = next(iter(batches))")
    known = None if model.input_shape is None else model.network.inputs
    if model.architecture.flattens:
        x = inputs.flattened("x", x, model.layers[0].input_shape)
    array = inputs.features("x", x, known, model.dtype)
    if len(array) == 0:
        raise ValueError(f"x must have at least one row; given {array.shape}")
    model.architecture.sizes(array.shape[1])
    return array


def read_targets(model: Sequential, loss: Loss, x: Array, y: object) -> Targets:
    """The targets as the core takes them.

    Raises
    ------
    TypeError, ValueError
        If `fit` would not take them.
    """
    array = inputs.targets("y", y)
    if array.ndim > 0 and len(array) != len(x):
        raise ValueError(f"x and y must have as many rows; x has {len(x)}, y has {len(array)}")
    return loss.targets("y", array, model.architecture.sizes(x.shape[1])[-1], model.dtype)


def sample(rows: int, count: int) -> Array:
    """Indices of some rows from all parts of the data: one drawn from each of `count` equal parts, always the same."""
    if rows <= count:
        return np.arange(rows)
    edges = np.linspace(0, rows, count + 1)
    draws = np.random.default_rng(0).random(count)
    return (edges[:-1] + draws * np.diff(edges)).astype(np.int64)


def look_at_inputs(model: Sequential, x: Array) -> list[Finding]:
    """NaN and infinity, scale, columns without change."""
    every = max(1, math.ceil(x.size / SCANNED))
    looked_at = x[::every]
    with np.errstate(invalid="ignore"):
        low, high = looked_at.min(axis=0), looked_at.max(axis=0)
    limit = np.finfo(model.dtype).max
    if not (np.abs(low) <= limit).all() or not (np.abs(high) <= limit).all():
        try:
            inputs.check_finite("x", x, model.dtype)
        except ValueError as error:
            return [Finding("inputs", "error", str(error))]
    where = "" if every == 1 else f" (1 row in {every})"
    return [_scale(model, x, low, high, where), *_constants(low, high, where)]


def _seen_by_the_first_layer(model: Sequential, values: Array) -> Array | None:
    """What Rescale makes of the numbers; None where a normalization makes them small, or nobody knows."""
    for layer in model.layers:
        if isinstance(layer, Rescale):
            values = values * layer.scale + layer.offset
        elif isinstance(layer, Normalization):
            return None
        elif not isinstance(layer, (Dropout, Flatten)):
            return values
    return values


def _scale(model: Sequential, x: Array, low: Array, high: Array, where: str) -> Finding:
    bounds = f"x is {number(float(low.min()))} to {number(float(high.max()))}{where}"
    values = x[sample(len(x), 1024)].astype(np.float64)
    seen = _seen_by_the_first_layer(model, values)
    if seen is None:
        return Finding("inputs", "ok", f"{bounds}; the model normalizes it")
    rescaled = seen is not values
    sizes = np.sqrt(np.mean(seen**2, axis=0))
    large = np.flatnonzero(sizes > LARGE)
    if rescaled:
        bounds = f"{bounds}, and after Rescale {number(float(seen.min()))} to {number(float(seen.max()))}"
    if large.size:
        which = f"{large.size} of {sizes.size} columns ({listed(large)}) are"
        if large.size == 1:
            which = f"column {large[0]} is"
        elif large.size == sizes.size:
            which = f"all {sizes.size} columns are"
        said = f"{bounds}; {which} large, with a root mean square above {LARGE:g}"
        remedy = BYTES if not rescaled and _are_bytes(low, high, values) else STANDARDIZE
        return Finding("inputs", "warning", said, remedy)
    if 0 < sizes.max() < SMALL:
        said = f"{bounds}; no column has a root mean square above {number(float(sizes.max()))}"
        remedy = "look whether x was scaled twice; else multiply it: (x - x.mean(axis=0)) / x.std(axis=0)"
        return Finding("inputs", "warning", said, remedy)
    return Finding("inputs", "ok", bounds)


def _are_bytes(low: Array, high: Array, values: Array) -> bool:
    return bool(low.min() >= 0 and 127 < high.max() <= 255 and (values == np.rint(values)).all())


def _constants(low: Array, high: Array, where: str) -> list[Finding]:
    constant = np.flatnonzero(low == high)
    if not constant.size:
        return [Finding("constant features", "ok", f"none{where}")]
    if constant.size == low.size:
        said = "all rows of x are the same: there is nothing to learn from"
        return [Finding("constant features", "warning", said, "look at how x was read: print(x[:5])")]
    said = f"in {constant.size} of {low.size} columns of x ({listed(constant)}) all rows are the same{where}"
    remedy = "they teach nothing: fine for the borders of images, else leave them out or look at how they were read"
    return [Finding("constant features", "note", said, remedy)]


def look_at_targets(loss: Loss, x: Array, targets: Targets, outputs: int, given: Any) -> list[Finding]:
    """Classes or values that will not be learned as they are meant."""
    return [*_kinds(loss, targets, outputs, given), *_twins(x, targets.array)]


def _twins(x: Array, y: Array) -> list[Finding]:
    """Rows of a sample that no model can tell apart, and that want different answers."""
    some = sample(len(x), 1024)
    _, kinds = np.unique(x[some], axis=0, return_inverse=True)
    pairs = np.column_stack([kinds.reshape(-1), y[some].reshape(len(some), -1)])
    answers = np.bincount(np.unique(pairs, axis=0)[:, 0].astype(np.int64), minlength=int(kinds.max()) + 1)
    torn = int(np.count_nonzero(answers[kinds.reshape(-1)] > 1))
    if not torn:
        return []
    said = f"of {len(some):,} rows looked at, {torn:,} have another with the same x and another y"
    remedy = "no model can be right on all of them: look whether the rows of x and y belong together"
    return [Finding("equal rows", "note", said, remedy)]


def _kinds(loss: Loss, targets: Targets, outputs: int, given: Any) -> list[Finding]:
    if targets.kind == "labels":
        return [_classes(targets.array, outputs, getattr(given, "dtype", None)), *_order(targets.array)]
    if isinstance(loss, CrossEntropy):
        classes = targets.array.argmax(axis=1)
        return [_classes(classes, outputs, None), *_order(classes)]
    if isinstance(loss, BinaryCrossEntropy):
        return [_answers(targets.array)]
    return [_values(targets.array)]


def _classes(classes: Array, outputs: int, dtype: Any) -> Finding:
    counts = np.bincount(classes, minlength=outputs)
    present = np.flatnonzero(counts)
    if present.size == 1:
        return Finding("targets", "warning", f"all rows are of class {present[0]}: {ALWAYS}", LOOK_AT_Y)
    missing = np.flatnonzero(counts == 0)
    if missing.size and present[0] == 1:
        said = f"no row is of class 0, but classes count from 0, and the model has {outputs} outputs"
        return Finding("targets", "warning", said, f"if yours start at 1, pass y - 1 and end in Dense({outputs - 1})")
    if missing.size:
        which = f"{'class' if missing.size == 1 else 'classes'} {listed(missing)}"
        said = f"no row is of {which}; the model has {outputs} outputs"
        return Finding("targets", "note", said, "give the last layer as many units as there are classes to come")
    share = counts.max() / counts.sum()
    if share > DOMINANT:
        said = f"class {counts.argmax()} has {100 * share:.0f} % of the rows: always saying it has that accuracy"
        return Finding("targets", "note", said, RARE)
    if getattr(dtype, "kind", None) == "f":  # of NumPy and pandas; other libraries' types have none
        said = f"y holds whole numbers as {dtype}, which are taken for classes 0 to {outputs - 1}"
        return Finding("targets", "note", said, "for measurements use loss='mse' and end the model in Dense(1)")
    return Finding("targets", "ok", f"{present.size} classes, of {counts.min()} to {counts.max()} rows each")


def _order(classes: Array) -> list[Finding]:
    changes = int(np.count_nonzero(np.diff(classes)))
    kinds = np.unique(classes).size
    if kinds > 1 and len(classes) >= 10 * kinds and changes == kinds - 1:
        said = f"the rows are sorted by class, and the last ones are all of class {classes[-1]}"
        remedy = "fit shuffles, but validation_split takes the last rows: shuffle first, with "
        remedy += "order = np.random.default_rng(0).permutation(len(x)); x, y = x[order], y[order]"
        return [Finding("order", "note", said, remedy)]
    return []


def _answers(values: Array) -> Finding:
    yes = values.mean(axis=0)
    still = np.flatnonzero((yes == 0) | (yes == 1))
    if still.size:
        return _same_in_all_rows(still, values)
    share = float(np.maximum(yes, 1 - yes).min())
    if share > DOMINANT and values.shape[1] == 1:
        most = "yes" if yes[0] > 0.5 else "no"
        said = f"{100 * share:.0f} % of the rows say {most}: always saying {most} has that accuracy"
        return Finding("targets", "note", said, RARE)
    return Finding("targets", "ok", f"yes in {listed(f'{100 * each:.0f} %' for each in yes)} of the rows")


def _values(values: Array) -> Finding:
    exact = values.astype(np.float64)
    low, high = float(exact.min()), float(exact.max())
    bounds = f"y is {number(low)} to {number(high)}"
    still = np.flatnonzero(exact.min(axis=0) == exact.max(axis=0))
    if still.size == values.shape[1]:
        return _same_in_all_rows(still, exact)
    size = float(np.sqrt(np.mean(exact**2, axis=0)).max())
    if size > LARGE_TARGET:
        said = f"{bounds}, with a root mean square of {number(size)}: the weights have a long way to go"
        return Finding("targets", "warning", said, STANDARDIZE_Y)
    if size < SMALL_TARGET:
        said = f"{bounds}, with a root mean square of {number(size)}: the loss is tiny from the start"
        return Finding("targets", "warning", said, STANDARDIZE_Y)
    if values.shape[1] > 1 and _is_one_hot(exact):
        said = f"y holds one-hot rows, which are classes; the loss takes them for {values.shape[1]} measurements"
        return Finding("targets", "note", said, "end the model in Dense(classes) and use loss='cross_entropy'")
    if still.size:
        return _same_in_all_rows(still, exact)
    kinds = np.unique(exact[:, 0])
    if values.shape[1] == 1 and _are_classes(kinds, len(exact)):
        said = f"y holds {kinds.size} different whole numbers, {number(low)} to {number(high)}, which look like classes"
        remedy = f"if they are, end the model in Dense({int(high) + 1}) and use loss='cross_entropy'"
        if kinds.size == 2:
            remedy = "if they mean no and yes, use loss='binary_cross_entropy'"
        return Finding("targets", "note", said, remedy)
    return Finding("targets", "ok", bounds)


def _same_in_all_rows(columns: Array, values: Array) -> Finding:
    """A warning if there is nothing else to learn; a few columns among others may be the borders of images."""
    only = columns.size == values.shape[1]
    where = "y" if values.shape[1] == 1 else f"column {columns[0]} of y"
    said = f"{where} is {number(float(values[0, columns[0]]))} in all rows: {ALWAYS}"
    return Finding("targets", "warning" if only else "note", said, LOOK_AT_Y)


def _is_one_hot(values: Array) -> bool:
    return bool(((values == 0) | (values == 1)).all() and (values.sum(axis=1) == 1).all())


def _are_classes(kinds: Array, rows: int) -> bool:
    """Whether values like these are 0, 1, 2, … with few of them left out, and many times each."""
    whole = bool((kinds == np.rint(kinds)).all() and kinds[0] in (0, 1))
    return whole and kinds.size <= FEW_VALUES and kinds[-1] - kinds[0] < 2 * kinds.size and rows >= 5 * kinds.size
