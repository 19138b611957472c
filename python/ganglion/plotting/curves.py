"""Curves: what training saw, the activation functions, and tables of numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ganglion.activations import ACTIVATIONS
from ganglion.plotting import checks
from ganglion.plotting.style import (
    COLOURS,
    DASHES,
    INK,
    MARKED_POINTS,
    NAMES,
    appearance,
    drawn_into,
    finish,
    grid,
    legend,
    title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["activation_functions", "gradients", "learning_curves", "lines"]

CURVES = {"": ("train", COLOURS[0], DASHES[0]), "val_": ("validation", COLOURS[1], DASHES[1])}
REACH = 5.0  # activation functions are drawn from −REACH to REACH


class HasHistory(Protocol):
    """What `Trainer.fit` returns."""

    @property
    def history(self) -> Mapping[str, Sequence[float]]:
        """One number an epoch under each name; training and, after ``val_``, validation."""


class HasMonitored(Protocol):
    """What `Trainer.fit` returns if a `Monitor` was among its callbacks."""

    @property
    def monitored(self) -> Mapping[str, Mapping[str, Sequence[float]]]:
        """By layer and quantity a number for each of `monitored_steps`."""

    @property
    def monitored_steps(self) -> Sequence[int]:
        """The steps that were looked at."""


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
    ax, path : a sequence of matplotlib axes and path-like, optional
        Where to draw, axes for each panel, loss first, and the picture's file; see `ganglion.plotting`.

    Returns
    -------
    list of matplotlib axes
        The panels; ``[0].figure`` is the figure.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError, ValueError
        There is no epoch to draw, or the number of axes is not that of the panels.
    """
    curves = history if isinstance(history, Mapping) else getattr(history, "history", None)
    if not isinstance(curves, Mapping):
        raise TypeError(
            f"history: expected what fit returned, or names with numbers like {{'loss': [2.3, 0.5]}}, got "
            f"{type(history).__name__}"
        )
    names = [name for name in curves if not name.startswith("val_")]
    names.sort(key=lambda name: name != "loss")
    if not names or any(len(curves[name]) == 0 for name in names):
        raise ValueError("history: expected at least one epoch to draw, got none; plot what fit returned")
    axes = drawn_into(ax, names, path)
    for panel, name in zip(axes, names, strict=True):
        _draw_epochs(panel, name, curves)
    finish(axes, path, ink=ax is None)
    return axes


def _draw_epochs(axes: Axes, name: str, curves: Mapping[str, Sequence[float]]) -> None:
    from matplotlib.ticker import MaxNLocator

    for prefix, (label, colour, dashes) in CURVES.items():
        values = curves.get(prefix + name, ())
        if len(values) > 0:
            marker = "o" if len(values) <= MARKED_POINTS else ""
            (line,) = axes.plot(range(1, len(values) + 1), values, marker=marker, markersize=4, label=label)
            line.set(color=colour, linestyle=dashes, linewidth=2)
    axes.margins(x=0.03)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    grid(axes)
    title(axes, name)
    axes.set_xlabel("epoch")
    legend(axes)


def gradients(
    history: HasMonitored,
    ax: Axes | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
) -> Axes:
    """Draw the norm of each layer's gradient over the steps of training, on a logarithmic scale.

    Curves that fan out by powers of ten from the last layer to the first are gradients that vanish (the first layers
    hardly learn) or explode.

    Parameters
    ----------
    history : History
        What `Trainer.fit` returned with a `Monitor` among its callbacks. Layers without parameters are left out.
    ax, path : matplotlib axes and path-like, optional
        Where to draw, and the picture's file; see `ganglion.plotting`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        The history has no gradients.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(gg.Dense(8, "tanh"), gg.Dense(1))
    >>> x = np.eye(2)
    >>> history = gg.Trainer(model, "mse").fit(x, x[:, 0], epochs=5, callbacks=[gg.Monitor(every=1)], verbose=0)
    >>> axes = gradients(history, path="gradients.svg")
    >>> [line.get_label() for line in axes.lines]
    ['dense', 'dense_1']
    """
    monitored = getattr(history, "monitored", {})
    norms = {layer: seen["gradient_norm"] for layer, seen in monitored.items() if "gradient_norm" in seen}
    norms = {layer: norm for layer, norm in norms.items() if not np.isnan(norm).all()}
    if not norms:
        raise ValueError(
            "history: expected gradients of layers, got none; watch them: fit(…, callbacks=[Monitor(every=100)])"
        )
    return lines(
        history.monitored_steps, norms, xlabel="step", ylabel="norm of the gradient", log=True, ax=ax, path=path
    )


def lines(
    x: ArrayLike | Sequence[str],
    curves: Mapping[str, ArrayLike],
    ax: Axes | None = None,
    *,
    xlabel: str,
    ylabel: str,
    log: bool | str = False,
    title: str | None = None,
    path: str | os.PathLike[str] | None = None,
) -> Axes:
    """Draw a table as curves, one for each of its columns.

    Parameters
    ----------
    x : (n,) array_like or names
        Where the values are; names stand side by side.
    curves : mapping of str to (n,) array_like
        The values. Those that are not finite leave gaps, and on a logarithmic scale those that are not positive.
    xlabel, ylabel : str
        What the axes show.
    log : bool or str
        ``"x"``, ``"y"`` or ``"xy"``: the axes with a logarithmic scale; True means ``"y"``. Where no value is positive,
        the y axis stays linear.
    title : str, optional
        Words above the panel.
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
        There is nothing to draw, or a curve has not one number for each x.

    Examples
    --------
    >>> axes = lines([1, 2, 4], {"line": [1, 2, 4], "square": [1, 4, 16]}, xlabel="x", ylabel="y", path="powers.svg")
    >>> axes.get_ylabel()
    'y'
    """
    if log not in (False, True, "x", "y", "xy"):
        raise ValueError(f"log: expected 'x', 'y' or 'xy', True or False, got {log!r}")
    scales: str = log if isinstance(log, str) else "y" if log else ""
    values = {
        name: checks.numbers(f"curves[{name!r}]", curve) for name, curve in checks.curves("curves", curves).items()
    }
    places: Any = np.asarray(x)
    if places.dtype.kind != "U":  # names
        places = checks.numbers("x", x)
        if "x" in scales:
            if not (places > 0).any():
                raise ValueError("x: expected positive numbers for a logarithmic scale, got none")
            places = np.where(places > 0, places, np.nan)
    for name, curve in values.items():
        checks.same_length("x", places, f"curves[{name!r}]", curve)
    if not any((curve > 0).any() for curve in values.values()):
        scales = scales.replace("y", "")
    width = 6.0 + 1.6 * ((len(values) - 1) // NAMES) if len(values) > 2 else 4.8
    (axes,) = drawn_into(ax, ["the curves"], path, size=(width, 3.4))
    for index, (name, curve) in enumerate(values.items()):
        positive = np.where(curve > 0, curve, np.nan) if "y" in scales else curve
        axes.plot(places, positive, label=name, **appearance(index, len(curve), len(values)))
    for axis in scales:
        axes.set(**{f"{axis}scale": "log"})
    if places.dtype.kind == "f" and "x" not in scales and (places == np.round(places)).all():
        axes.xaxis.get_major_locator().set_params(integer=True)  # there is no epoch 1.5
    elif places.dtype.kind == "U" and sum(map(len, places)) > 45:  # more letters than stand side by side
        axes.set_xticks(range(len(places)), places, rotation=30, ha="right")
    axes.margins(x=0.03)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if title is not None:
        axes.set_title(title, loc="left", fontweight="bold")
    grid(axes)
    if len(values) > 1:
        legend(axes)
    finish([axes], path, ink=ax is None)
    return axes


def activation_functions(
    names: Sequence[str] = ("sigmoid", "tanh", "relu", "leaky_relu"),
    ax: Axes | Sequence[Axes] | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
) -> list[Axes]:
    """Draw activation functions, solid, with their derivatives, dashed: a panel each.

    Parameters
    ----------
    names : sequence of str
        As ``Dense(activation=…)`` takes them; parameters are the defaults.
    ax, path : a sequence of matplotlib axes and path-like, optional
        Where to draw, axes for each name, and the picture's file; see `ganglion.plotting`.

    Returns
    -------
    list of matplotlib axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        A name is unknown, or that of softmax, which is no function of one number.

    Examples
    --------
    >>> sigmoid, tanh = activation_functions(["sigmoid", "tanh"], path="activations.svg")
    >>> [line.get_label() for line in tanh.lines[-2:]]
    ['function', 'derivative']
    """
    from ganglion import functional

    rows = [_function_of_one_number(name) for name in ([names] if isinstance(names, str) else names)]
    if not rows:
        raise ValueError("names: expected at least one function to draw, got none")
    axes = drawn_into(ax, rows, path, size=(4.4, 3.1))
    x = np.linspace(-REACH, REACH, 1001)
    for panel, name in zip(axes, rows, strict=True):
        panel.axhline(0, color=INK, linewidth=0.8, alpha=0.6)
        panel.axvline(0, color=INK, linewidth=0.8, alpha=0.6)
        panel.plot(x, getattr(functional, name)(x), label="function", **appearance(0))
        derivative = getattr(functional, f"{name}_derivative", None)
        if derivative is not None:
            panel.plot(x, derivative(x), label="derivative", **appearance(1))
        title(panel, name)
        grid(panel)
        legend(panel)
    finish(axes, path, ink=ax is None)
    return axes


def _function_of_one_number(name: str) -> str:
    """The name under which `ganglion.functional` has an activation."""
    if not isinstance(name, str):
        raise TypeError(f"names: expected names like 'relu', got {name!r} of type {type(name).__name__}")
    row = ACTIVATIONS.find("names", name).row
    if row == "softmax":
        raise ValueError("names: expected functions of one number, got 'softmax', which takes a row at once")
    return row
