"""What a model says beside what is true: regions of classes, fitted curves, and who is taken for whom."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion.plotting import checks
from ganglion.plotting.style import COLOURS, INK, MARKERS, appearance, contrasting, drawn_into, finish, grid, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array

__all__ = ["confusion_matrix", "decision_boundary", "fit_1d"]

GRID = 401  # points to a side
SHADE, FAINT = 0.28, 0.35  # opacities
LARGEST_TABLE = 10.0  # inches


def decision_boundary(
    model: Any,
    x: ArrayLike,
    y: ArrayLike,
    ax: Axes | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
) -> Axes:
    """Draw which class a classifier gives to each point of the plane, and the samples with a marker for each class.

    Parameters
    ----------
    model : Sequential or callable
        A classifier of two inputs: a model with ``predict_classes``, one whose ``predict`` gives classes, or a function
        of points (n, 2) that gives the class of each.
    x : (n, 2) array_like
        The samples.
    y : array_like
        Their classes, (n,) or one-hot (n, K).
    ax, path : matplotlib axes and path-like, optional
        Where to draw, and the picture's file; see `ganglion.plotting`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError, ValueError
        The samples have not two features, there is not one class for each, or the model is no classifier.

    Examples
    --------
    >>> import numpy as np
    >>> corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> axes = decision_boundary(lambda x: x.sum(axis=1) > 1.5, corners, [0, 0, 0, 1], path="and.svg")
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['class 0', 'class 1']
    """
    points = checks.finite("x", checks.numbers("x", x, 2))
    labels = checks.classes("y", y)
    checks.same_length("x", points, "y", labels)
    low, high = points.min(axis=0), points.max(axis=0)
    room = 0.12 * np.where(high > low, high - low, 1.0)
    low, high = low - room, high + room
    across, up = np.meshgrid(np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID))
    given = _classes_by(model, np.column_stack([across.ravel(), up.ravel()]))
    known = np.unique(np.concatenate([labels, given]))
    regions = np.searchsorted(known, given).reshape(across.shape)

    (axes,) = drawn_into(ax, ["the plane"], path, size=(5.2, 3.8))

    from matplotlib.colors import to_rgba_array

    colours = [COLOURS[index % len(COLOURS)] for index in range(len(known))]
    axes.imshow(
        to_rgba_array(colours, SHADE)[regions], extent=(low[0], high[0], low[1], high[1]), origin="lower",
        aspect="auto", interpolation="nearest",
    )  # fmt: skip
    for index in range(len(known)):
        inside = regions == index
        if inside.any() and not inside.all():
            axes.contour(across, up, inside.astype(float), levels=[0.5], colors=INK, linewidths=1.0)
    for index, label in enumerate(known):
        here = points[labels == label]
        marker = MARKERS[(index + index // len(COLOURS)) % len(MARKERS)]
        axes.scatter(
            here[:, 0], here[:, 1], s=np.clip(4000 / len(points), 24, 70), marker=marker,
            facecolors=colours[index], edgecolors="white", linewidths=0.7, zorder=3, label=f"class {label}",
        )  # fmt: skip
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="first input", ylabel="second input")
    legend(axes)
    finish([axes], path, ink=ax is None)
    return axes


def _classes_by(model: Any, points: Array) -> Array:
    for method in ("predict_classes", "predict"):
        if hasattr(model, method):
            name, given = method, getattr(model, method)(points)
            break
    else:
        if not callable(model):
            raise TypeError(f"model: expected a model or a function of points (n, 2), got {type(model).__name__}")
        name, given = "the function", model(points)
    classes = checks.classes(f"model: {name}", given)
    checks.same_length("points", points, f"model: {name}", classes)
    return classes


def fit_1d(
    models: Any,
    x: ArrayLike,
    y: ArrayLike,
    ax: Axes | None = None,
    *,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    path: str | os.PathLike[str] | None = None,
) -> Axes:
    """Draw points and the curves that models of one input lay through them.

    Parameters
    ----------
    models : mapping of str to model or callable
        What to draw by name: models of one input and one output, or functions of (n,) values; one alone needs no name.
    x, y : (n,) or (n, 1) array_like
        The points that the models were trained on.
    validation : (x, y), optional
        Points that they were not trained on.
    ax, path : matplotlib axes and path-like, optional
        Where to draw, and the picture's file; see `ganglion.plotting`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError, ValueError
        x and y do not go together, or a model gives not one number for each x.

    Examples
    --------
    >>> axes = fit_1d({"line": lambda x: 2 * x + 1}, [0, 1, 2], [1.1, 2.9, 5.0], path="line.svg")
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['line', 'training']
    """
    named: Mapping[str, Any] = models if isinstance(models, Mapping) else {"model": models}
    points = {"training": _pair("", x, y)}
    if validation is not None:
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise TypeError("validation: expected (x, y), the points that the models were not trained on")
        points["validation"] = _pair("validation ", *validation)
    everything = np.concatenate([pair[0] for pair in points.values()])
    room = 0.05 * (np.ptp(everything) or 1.0)
    across = np.linspace(everything.min() - room, everything.max() + room, 401)
    curves = {name: _outputs(name, model, across) for name, model in checks.curves("models", named).items()}
    (axes,) = drawn_into(ax, ["the fit"], path, size=(6.0, 3.4))
    for index, (name, curve) in enumerate(curves.items()):
        axes.plot(across, curve, label=name, **appearance(index))
    for (name, (inputs, targets)), marker in zip(points.items(), "ox", strict=False):
        filled = {"facecolors": "none"} if marker == "o" else {}
        axes.scatter(inputs, targets, s=36, marker=marker, color=INK, linewidths=1.6, label=name, zorder=3, **filled)
    heights = np.concatenate([pair[1] for pair in points.values()])
    margin = 0.25 * (np.ptp(heights) or 1.0)  # a curve that leaves the points is cut off
    axes.set_ylim(heights.min() - margin, heights.max() + margin)
    axes.margins(x=0)
    axes.set(xlabel="x", ylabel="y")
    grid(axes)
    legend(axes)
    finish([axes], path, ink=ax is None)
    return axes


def _pair(prefix: str, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    names = f"{prefix}x", f"{prefix}y"
    inputs, targets = (checks.finite(name, checks.numbers(name, z)) for name, z in zip(names, (x, y), strict=True))
    checks.same_length(names[0], inputs, names[1], targets)
    return inputs, targets


def _outputs(name: str, model: Callable[[Any], Any] | Any, x: Array) -> Array:
    argument = f"models[{name!r}]"
    if hasattr(model, "predict"):
        outputs = checks.numbers(f"{argument}: its outputs", model.predict(x[:, np.newaxis]))
        checks.same_length("x", x, f"{argument}: its outputs", outputs)
        return outputs
    if callable(model):
        return checks.values(argument, model, x)
    raise TypeError(f"{argument}: expected a model or a function, got {type(model).__name__}")


def confusion_matrix(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    ax: Axes | None = None,
    *,
    names: Sequence[str] | None = None,
    path: str | os.PathLike[str] | None = None,
) -> Axes:
    """Draw how often each class was taken for each: true classes by row, predicted ones by column.

    A cell's number is a count. Right answers are blue, wrong ones vermillion. Full colour has what is at least half of
    its row, or among the wrong ones at least half the share of the worst confusion; the rest is faint.

    Parameters
    ----------
    y_true, y_pred : array_like
        Classes (n,), or one-hot rows, probabilities or logits (n, K), of which the largest counts.
    names : sequence of str, optional
        What the classes 0, 1, … are called; by default their numbers.
    ax, path : matplotlib axes and path-like, optional
        Where to draw, and the picture's file; see `ganglion.plotting`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError, ValueError
        The arrays do not go together, hold no classes, or there are fewer names than classes.

    Examples
    --------
    >>> axes = confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], names=["cat", "dog"], path="confusion.svg")
    >>> [text.get_text() for text in axes.texts]
    ['1', '1', '0', '2']
    """
    true, predicted = checks.classes("y_true", y_true), checks.classes("y_pred", y_pred)
    checks.same_length("y_true", true, "y_pred", predicted)
    known = np.unique(np.concatenate([true, predicted]))
    if names is not None:
        if known[0] < 0 or known[-1] >= len(names):
            raise ValueError(f"names: expected one for each class from 0 to {known[-1]}, got {len(names)}")
        known = np.arange(len(names))
    labels = [str(label) for label in known] if names is None else list(names)
    counts = np.zeros((len(known), len(known)), int)
    np.add.at(counts, (np.searchsorted(known, true), np.searchsorted(known, predicted)), 1)
    cell = min(0.42, LARGEST_TABLE / len(known))
    side = max(3.4, cell * len(known) + 1.0)
    (axes,) = drawn_into(ax, ["the table"], path, size=(side + 0.4, side))
    fontsize = 9 * cell / 0.42
    _draw_counts(axes, counts, fontsize)
    ticks = range(len(known))
    crowded = max(map(len, labels)) > 3
    axes.set_xticks(ticks, labels, rotation=45 if crowded else 0, ha="right" if crowded else "center")
    axes.set_yticks(ticks, labels)
    axes.tick_params(length=0, labelsize=fontsize + 1)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted class", ylabel="true class")
    finish([axes], path, ink=ax is None)
    return axes


def _draw_counts(axes: Axes, counts: Array, fontsize: float) -> None:
    from matplotlib.colors import to_rgba

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wrong = ~np.eye(len(counts), dtype=bool)
    strength = np.where(wrong, shares / ((shares * wrong).max() or 1.0), shares)
    cells = np.zeros((*counts.shape, 4))
    for (row, column), count in np.ndenumerate(counts):
        full = strength[row, column] >= 0.5
        # faint cells let the ground through, so that words in INK read on it
        alpha = 1.0 if full else FAINT * strength[row, column] ** 0.5
        cells[row, column] = to_rgba(COLOURS[1 if wrong[row, column] else 0], alpha)
        words = {"color": contrasting(cells[row, column]) if full else INK, "fontsize": fontsize}
        if count > 0:
            words["fontweight"] = "bold"
        axes.text(column, row, str(count), ha="center", va="center", **words)
    axes.imshow(cells, interpolation="nearest")
