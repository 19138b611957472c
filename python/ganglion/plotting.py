"""Pictures of a training run, drawn with matplotlib, which is imported only when a picture is asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

__all__ = ["learning_curves"]

# Blue (made lighter) and vermillion of Okabe & Ito, "Color Universal Design", 2008: colour-blind people tell them
# apart, and each has a contrast of at least 3.8:1 on white and on black. Where colour is lost, dashes remain.
CURVES = {"": ("train", "#2B83C2", "-"), "val_": ("validation", "#D55E00", (0, (5, 2)))}
INK = "#777777"  # 4.5:1 on white and 4.7:1 on black: one picture serves a white page and a dark one
MARKED_EPOCHS = 15  # up to so many, each epoch is a dot


class HasHistory(Protocol):
    """What `Trainer.fit` returns."""

    @property
    def history(self) -> Mapping[str, Sequence[float]]:
        """One number an epoch under each name; training and, after ``val_``, validation."""


def learning_curves(
    history: HasHistory | Mapping[str, Sequence[float]],
    ax: Axes | Sequence[Axes] | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
) -> list[Axes]:
    """Draw loss and metrics against epochs: a panel each, training and validation together.

    Parameters
    ----------
    history : History or mapping
        What `Trainer.fit` returned, or names with one number an epoch each; ``val_loss`` is the validation curve of
        ``loss``.
    ax : matplotlib axes or a sequence of them, optional
        Where to draw, one a panel, loss first; their colours of ground and text are left alone. By default a new figure
        with a transparent ground, which reads on white paper and on a dark page.
    path : path-like, optional
        Where to write the picture; the ending chooses the format (``.png``, ``.svg``, ``.pdf``). No window opens then.

    Returns
    -------
    list of matplotlib axes
        The panels; ``[0].figure`` is the figure.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        There is no epoch to draw, or the number of axes is not that of the panels.
    """
    curves: Mapping[str, Sequence[float]] = history if isinstance(history, Mapping) else history.history
    panels = [name for name in curves if not name.startswith("val_")]
    panels.sort(key=lambda name: name != "loss")
    if not panels or any(len(curves[name]) == 0 for name in panels):
        raise ValueError("history: expected at least one epoch to draw, got none; plot what fit returned")
    axes = _new_axes(len(panels), shown=path is None) if ax is None else list(np.ravel(np.asarray(ax, object)))
    if len(axes) != len(panels):
        raise ValueError(f"ax: expected {len(panels)} axes for {', '.join(panels)}, got {len(axes)}")
    for panel, name in zip(axes, panels, strict=True):
        words = _draw(panel, name, curves)
        if ax is None:
            _ink(panel, words)
    if path is not None:
        cast("Figure", axes[0].figure).savefig(path)
    return axes


def _new_axes(count: int, *, shown: bool) -> list[Axes]:
    try:
        from matplotlib import figure, pyplot
    except ImportError as error:
        raise ImportError("drawing needs matplotlib; install it with: python -m pip install matplotlib") from error
    # pyplot's figures appear in windows and notebooks
    make = pyplot.figure if shown else figure.Figure
    drawing = make(figsize=(4.8 * count, 3.4), dpi=160, layout="constrained", facecolor="none")
    drawing.get_layout_engine().set(w_pad=0.1, h_pad=0.1, wspace=0.03)
    return list(drawing.subplots(1, count, squeeze=False)[0])


def _draw(axes: Axes, name: str, curves: Mapping[str, Sequence[float]]) -> list[Text]:
    """Draw one panel; return its words."""
    from matplotlib.ticker import MaxNLocator

    for prefix, (label, colour, dashes) in CURVES.items():
        values = curves.get(prefix + name, ())
        if len(values) > 0:
            marker = "o" if len(values) <= MARKED_EPOCHS else ""
            (line,) = axes.plot(range(1, len(values) + 1), values, marker=marker, markersize=4, label=label)
            line.set(color=colour, linestyle=dashes, linewidth=2)
    axes.margins(x=0.03)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=INK, alpha=0.25, linewidth=0.8)
    axes.set_axisbelow(True)
    title = axes.set_title(name, loc="left", fontweight="bold")
    # on the title's line, where it hides no point
    legend = axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, borderpad=0)
    return [title, axes.set_xlabel("epoch"), *legend.get_texts()]


def _ink(axes: Axes, words: list[Text]) -> None:
    axes.set_facecolor("none")
    axes.tick_params(colors=INK)
    for spine in axes.spines.values():
        spine.set_color(INK)
    for word in words:
        word.set_color(INK)
