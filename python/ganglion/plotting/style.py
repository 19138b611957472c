"""One look for all pictures: readable on white paper and on a dark page, and for the colour-blind."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ganglion import inputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ganglion.inputs import Array

__all__ = [
    "COLOURS", "DASHES", "INK", "MARKERS", "NAMES", "Dashes", "appearance", "contrasting", "drawn_into", "finish",
    "grid", "legend", "panels", "title",
]  # fmt: skip

Dashes = str | tuple[int, tuple[float, ...]]  # as matplotlib has them

# After Okabe & Ito, "Color Universal Design", 2008: blue, vermillion, green, raspberry, violet, brown, petrol, shifted
# until each has a contrast of at least 3:1 (WCAG 2.1, 1.4.11) on white and on black, and every two differ by at least
# 0.05 in Oklab as people with normal and with colour-blind eyes see them (Machado et al., IEEE TVCG 15(6), 2009).
COLOURS = ("#2B83C2", "#D55E00", "#00A580", "#B4486C", "#6C54B4", "#786024", "#187890")
INK = "#777777"  # of words, axes and neutral lines: 4.5:1 on white and 4.7:1 on black
# Where colour is lost, dashes and markers remain.
DASHES: tuple[Dashes, ...] = ("-", (0, (5, 2)), (0, (5, 1.5, 1, 1.5)), (0, (1.2, 1.2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
MARKED_POINTS = 15  # a curve of up to so many points has a marker on each
NAMES = 12  # in a column of a legend: so many are as high as a panel

# Salt for the identifiers in SVG files, outlines instead of fonts and no date: the same data give the same file.
REPRODUCIBLE = {"svg.hashsalt": "ganglion", "svg.fonttype": "path"}
WITHOUT_DATE = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def panels(
    count: int = 1,
    *,
    columns: int | None = None,
    size: tuple[float, float] = (4.8, 3.4),
    path: str | os.PathLike[str] | None = None,
) -> list[Axes]:
    """Axes in a new figure whose ground is transparent; `finish` gives their words a colour for any page.

    Parameters
    ----------
    count : int
        How many.
    columns : int, optional
        How many side by side; by default all up to three, else about as many as rows.
    size : (float, float)
        Width and height of one, in inches.
    path : path-like, optional
        Where `finish` will write the picture. Without one the figure is pyplot's, which shows it in windows and
        notebooks.

    Returns
    -------
    list of matplotlib axes

    Raises
    ------
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> (axes,) = panels(path="squares.svg")
    >>> line = axes.plot([1, 2, 3], [1, 4, 9], color=COLOURS[0])
    >>> finish([axes], "squares.svg")
    """
    try:
        from matplotlib import figure, pyplot
    except ImportError as error:
        raise ImportError("drawing needs matplotlib; install it with: python -m pip install matplotlib") from error
    inputs.integer("count", count, minimum=1)
    if columns is None:
        columns = count if count <= 3 else math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    make = pyplot.figure if path is None else figure.Figure
    width, height = size
    drawing = make(figsize=(width * columns, height * rows), dpi=160, layout="constrained", facecolor="none")
    drawing.get_layout_engine().set(w_pad=0.1, h_pad=0.1, wspace=0.03, hspace=0.03)
    axes = list(drawing.subplots(rows, columns, squeeze=False).flat)
    for unused in axes[count:]:
        unused.remove()
    for each in axes[:count]:
        each.spines[["top", "right"]].set_visible(False)
        each.set_axisbelow(True)
    return axes[:count]


def finish(axes: Sequence[Axes], path: str | os.PathLike[str] | None = None, *, ink: bool = True) -> None:
    """Give words, ticks and frames of a figure's axes the colour INK, and write the figure if there is a path.

    Words keep a colour of their own, one that is not matplotlib's default by name. With one version of matplotlib the
    same data give the same SVG or PDF file, byte for byte.

    Parameters
    ----------
    axes : sequence of matplotlib axes
        Of one figure.
    path : path-like, optional
        The ending chooses the format (``.png``, ``.svg``, ``.pdf``).
    ink : bool
        False leaves all colours as they are.
    """
    import matplotlib as mpl

    if ink:
        for each in axes:
            _ink(each)
    if path is not None:
        ending = Path(path).suffix.lower()
        with mpl.rc_context(REPRODUCIBLE):
            cast("Figure", axes[0].figure).savefig(path, metadata=WITHOUT_DATE.get(ending))


def _ink(axes: Axes) -> None:
    from matplotlib import rcParams
    from matplotlib.text import Text

    axes.set_facecolor("none")
    axes.tick_params(which="both", colors=INK)
    for spine in axes.spines.values():
        spine.set_color(INK)
    words = [child for child in axes.get_children() if isinstance(child, Text)]
    for axis in (axes.xaxis, axes.yaxis):
        words += [axis.label, axis.get_offset_text()]
    if axes.get_legend() is not None:
        words += axes.get_legend().get_texts()
    for word in words:
        if word.get_color() in (rcParams["text.color"], rcParams["axes.labelcolor"]):
            word.set_color(INK)


def drawn_into(
    ax: Axes | Sequence[Axes] | None,
    names: Sequence[str],
    path: str | os.PathLike[str] | None,
    **options: Any,
) -> list[Axes]:
    """The caller's axes or new ones, one for each of the named panels."""
    if ax is None:
        return panels(len(names), path=path, **options)
    axes = list(np.ravel(np.asarray(ax, object)))
    if len(axes) != len(names):
        raise ValueError(f"ax: expected {len(names)} axes for {', '.join(names)}, got {len(axes)}")
    return axes


def appearance(index: int, points: int | None = None, curves: int = 1) -> dict[str, Any]:
    """Keywords for the curve number `index`: colour and dashes.

    With few points each has a marker, with many the line is thin; with more curves than dashes, some points have
    markers. Two of the first 28 curves differ in colour or dashes, neighbours in both.

    Examples
    --------
    >>> appearance(1)
    {'color': '#D55E00', 'linestyle': (0, (5, 2)), 'linewidth': 2}
    """
    number = len(COLOURS)
    look: dict[str, Any] = {
        "color": COLOURS[index % number],
        "linestyle": DASHES[(index % number + index // number) % len(DASHES)],
        "linewidth": 2 if points is None or points <= 500 else 1,
    }
    if points is not None and points <= MARKED_POINTS:
        look |= {"marker": MARKERS[index % len(MARKERS)], "markersize": 4}
    elif points is not None and curves > len(DASHES):
        every = points // 8
        look |= {"marker": MARKERS[(index + index // number) % len(MARKERS)], "markersize": 5}
        look |= {"markevery": (index * every // curves, every)}
    return look


def title(axes: Axes, words: str) -> None:
    """A panel's name, above its left corner."""
    axes.set_title(words, loc="left", fontweight="bold")


def legend(axes: Axes) -> None:
    """What the curves mean, where it hides none: two on the title's line, more to the right of the panel."""
    handles, labels = axes.get_legend_handles_labels()
    if len(handles) <= 2 and sum(map(len, labels)) <= 24:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, borderpad=0)
    elif handles:
        look = {"frameon": False, "borderpad": 0.2, "handlelength": 2.6}  # as long as a pattern of dashes
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), ncols=math.ceil(len(handles) / NAMES), **look)


def grid(axes: Axes, axis: str = "y") -> None:
    """Faint lines at the ticks."""
    axes.grid(axis=axis, color=INK, alpha=0.25, linewidth=0.8)


def contrasting(ground: Sequence[float] | Array) -> tuple[float, float, float]:
    """Black or white for words on a ground (red, green, blue), whichever has the larger contrast by WCAG 2.

    Examples
    --------
    >>> contrasting((1.0, 0.9, 0.2))
    (0.0, 0.0, 0.0)
    """
    light = np.asarray(ground[:3], float)
    linear = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    is_light = linear @ [0.2126, 0.7152, 0.0722] > 0.179
    return (0.0, 0.0, 0.0) if is_light else (1.0, 1.0, 1.0)
