"""Ways down: the paths of optimizers over a function of one or two variables."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion.plotting import checks
from ganglion.plotting.style import INK, MARKED_POINTS, appearance, drawn_into, finish, grid, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array

__all__ = ["descent_curve", "descent_paths"]

CONTOURS = 14
GRID = 201  # points to a side


def descent_paths(
    f: Callable[[Any, Any], Any],
    paths: Mapping[str, ArrayLike],
    ax: Axes | None = None,
    *,
    limits: ArrayLike,
    log: bool = False,
    path: str | os.PathLike[str] | None = None,
) -> Axes:
    """Draw paths over the contours of a function of two variables.

    A path begins at the hollow circle; up to fifteen points have a marker each, of more only the last. What lies
    outside the limits is cut off.

    Parameters
    ----------
    f : callable
        f(x, y) for arrays of one shape, an array of it.
    paths : mapping of str to (n, 2) array_like
        The points of each path, as ``gradient_descent(f, …)[1]`` gives them; points that are not finite are left out.
    limits : (x_low, x_high, y_low, y_high)
        What to show.
    log : bool
        Whether neighbouring contours differ by a factor, above the lowest value shown, and not by a difference: it
        shows the floor of a steep valley.
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
        f gives no array of the same shape, a path is not (n, 2), or limits are no four numbers.

    Examples
    --------
    >>> import numpy as np
    >>> zigzag = [[2.0, 1.0], [-1.6, 0.8], [1.3, 0.6]]
    >>> axes = descent_paths(
    ...     lambda x, y: x**2 + y**2 / 10, {"SGD": zigzag}, limits=(-3, 3, -2, 2), path="valley.svg"
    ... )
    >>> axes.lines[0].get_xydata().tolist() == zigzag
    True
    """
    points = {name: checks.numbers(f"paths[{name!r}]", way, 2) for name, way in checks.curves("paths", paths).items()}
    x_low, x_high, y_low, y_high = checks.limits("limits", limits, 2)
    x, y = np.meshgrid(np.linspace(x_low, x_high, GRID), np.linspace(y_low, y_high, GRID))
    z = checks.values("f", f, x, y)
    (axes,) = drawn_into(ax, ["the paths"], path, size=(6.0, 3.8) if len(points) > 2 else (4.8, 3.8))
    levels = _levels(z[np.isfinite(z)], log)
    if levels is not None:
        axes.contour(x, y, z, levels=levels, colors=INK, linewidths=0.8, alpha=0.5)
    for index, (name, way) in enumerate(points.items()):
        way = way[np.isfinite(way).all(axis=1)]
        _draw_path(axes, index, name, way[:, 0], way[:, 1])
    axes.set(xlim=(x_low, x_high), ylim=(y_low, y_high), xlabel="x", ylabel="y")
    legend(axes)
    finish([axes], path, ink=ax is None)
    return axes


def descent_curve(
    f: Callable[[Any], Any],
    paths: Mapping[str, ArrayLike],
    ax: Axes | None = None,
    *,
    limits: ArrayLike,
    path: str | os.PathLike[str] | None = None,
) -> Axes:
    """Draw paths along the curve of a function of one variable.

    A path's points lie on the curve and are joined by straight lines. It begins at the hollow circle; up to fifteen
    points have a marker each, of more only the last. What lies outside the limits is cut off.

    Parameters
    ----------
    f : callable
        f(x) for an array, an array of its shape.
    paths : mapping of str to (n,) array_like
        The points of each path; points that are not finite are left out.
    limits : (low, high)
        What to show.
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
        f gives no array of the same shape, a path is not (n,), or limits are no two numbers.

    Examples
    --------
    >>> axes = descent_curve(lambda x: x**2, {"μ = 0.4": [2, 0.4, 0.08]}, limits=(-2.5, 2.5), path="parabola.svg")
    >>> axes.lines[1].get_label()
    'μ = 0.4'
    """
    points = {name: checks.numbers(f"paths[{name!r}]", way) for name, way in checks.curves("paths", paths).items()}
    low, high = checks.limits("limits", limits, 1)
    x = np.linspace(low, high, 401)
    z = checks.values("f", f, x)
    (axes,) = drawn_into(ax, ["the curve"], path, size=(6.0, 3.4) if len(points) > 2 else (4.8, 3.4))
    axes.plot(x, z, color=INK, linewidth=1.5)
    visible = z[np.isfinite(z)]
    if len(visible) > 0:
        room = 0.08 * (visible.max() - visible.min() or 1.0)
        axes.set_ylim(visible.min() - room, visible.max() + room)
    for index, (name, way) in enumerate(points.items()):
        way = way[np.isfinite(way)]
        _draw_path(axes, index, name, way, checks.values("f", f, way))
    axes.set(xlim=(low, high), xlabel="x", ylabel="f(x)")
    grid(axes)
    legend(axes)
    finish([axes], path, ink=ax is None)
    return axes


def _levels(values: Array, log: bool) -> Array | None:
    """Where to draw contours; None where the function is constant."""
    if len(values) == 0 or values.min() == values.max():
        return None
    low, high = values.min(), values.max()
    if not log:
        return np.linspace(low, high, CONTOURS + 2)[1:-1]
    above = values[values > low] - low
    levels: Array = low + np.geomspace(max(np.quantile(above, 0.002), 1e-12 * (high - low)), high - low, CONTOURS + 1)
    return levels[:-1]


def _draw_path(axes: Axes, index: int, name: str, x: Array, y: Array) -> None:
    look = appearance(index, 1)
    if len(x) > MARKED_POINTS:
        look["markevery"] = [len(x) - 1]
    axes.plot(x, y, label=name, zorder=3, **look | {"linewidth": 1.6, "markersize": 5})
    start = {"marker": "o", "markersize": 11, "markerfacecolor": "none", "markeredgewidth": 1.4}
    axes.plot(x[:1], y[:1], linestyle="", color=INK, zorder=4, **start)
