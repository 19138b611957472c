"""Rows of numbers as images: what the first layer looks for, and the samples that were misclassified."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion import inputs
from ganglion.layers import Dense
from ganglion.plotting import checks
from ganglion.plotting.style import COLOURS, INK, drawn_into, finish, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array

__all__ = ["first_weights", "misclassified"]

GAP = 0.12  # between images, as a share of one
CAPTION = 0.28


def first_weights(
    model: Any,
    ax: Axes | None = None,
    *,
    shape: Sequence[int],
    count: int = 25,
    path: str | os.PathLike[str] | None = None,
) -> Axes:
    """Draw the weights into the first units of a model's first dense layer, an image each.

    Positive weights are blue and negative ones vermillion, the stronger the larger, on one scale for all whose ends the
    title names; a weight of 0 is the ground.

    Parameters
    ----------
    model : Sequential
        Built, with a dense layer.
    shape : (height, width)
        Of a sample as image: height · width are the layer's inputs.
    count : int
        At most how many units, the layer's first.
    ax, path : matplotlib axes and path-like, optional
        Where to draw, and the picture's file; see `ganglion.plotting`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    NotFittedError
        The model has no weights yet.
    TypeError, ValueError
        The model has no dense layer, the shape is not that of its inputs, or count is not positive.

    Examples
    --------
    >>> import ganglion as gg
    >>> model = gg.Sequential(gg.Dense(9, activation="relu", input_shape=(16,)), gg.Dense(3))
    >>> axes = first_weights(model, shape=(4, 4), count=4, path="weights.svg")
    >>> len(axes.images)
    4
    """
    dense = next((layer for layer in getattr(model, "layers", ()) if isinstance(layer, Dense)), None)
    if dense is None:
        raise TypeError(f"model: expected a model with a dense layer, got {type(model).__name__} without one")
    kernel = np.asarray(model.arrays()[f"{dense.name}.kernel"], np.float64)  # (I, O)
    image = checks.pixels(shape, len(kernel), f"{dense.name} has inputs")
    if len(image) == 3:
        raise ValueError(f"shape: expected (height, width), as colours show the weights, got {shape}")
    shown = kernel.T[: inputs.integer("count", count, minimum=1)].reshape(-1, *image)
    largest = np.abs(shown).max() or 1.0

    words = f"{dense.name}: weights, −{largest:.2g} to {largest:.2g}"
    (axes,) = drawn_into(ax, ["the weights"], path, size=_size(len(shown), image, 0.0, words))

    from matplotlib.colors import ListedColormap, to_rgba

    # Transparent in the middle: a weight of 0 is the page, be it white or black. The power lets small weights be seen
    # beside single large ones.
    scale = np.linspace(-1, 1, 255)
    colours = ListedColormap([to_rgba(COLOURS[0 if weight > 0 else 1], abs(weight) ** 0.6) for weight in scale])
    _draw_images(axes, shown, [""] * len(shown), cmap=colours, vmin=-largest, vmax=largest)
    title(axes, words)
    finish([axes], path, ink=ax is None)
    return axes


def misclassified(
    x: ArrayLike,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    ax: Axes | None = None,
    *,
    shape: Sequence[int],
    count: int = 16,
    path: str | os.PathLike[str] | None = None,
) -> Axes:
    """Draw the first samples that were taken for another class, with the true class → the predicted one.

    Parameters
    ----------
    x : array_like
        The samples, (n, features) or (n, *shape).
    y_true, y_pred : array_like
        Classes (n,), or one-hot rows, probabilities or logits (n, K), of which the largest counts.
    shape : (height, width) or (height, width, 3)
        Of a sample as image. The lowest of all values is black and the highest white.
    count : int
        At most how many samples.
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
        The arrays do not go together, the shape is not that of a sample, or count is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.eye(4).reshape(4, 2, 2)
    >>> axes = misclassified(x, [0, 1, 2, 3], [0, 3, 2, 1], shape=(2, 2), path="wrong.svg")
    >>> [text.get_text() for text in axes.texts]
    ['1 → 3', '3 → 1']
    """
    true, predicted = checks.classes("y_true", y_true), checks.classes("y_pred", y_pred)
    samples = checks.finite("x", np.asarray(inputs.numeric("x", x), np.float64))
    checks.same_length("y_true", true, "y_pred", predicted)
    checks.same_length("y_true", true, "x", samples)
    samples = samples.reshape(len(samples), -1)
    image = checks.pixels(shape, samples.shape[1], "a sample of x has")
    wrong = np.flatnonzero(true != predicted)
    first = wrong[: inputs.integer("count", count, minimum=1)]
    words = f"{len(wrong)} of {len(true)} misclassified"
    (axes,) = drawn_into(ax, ["the samples"], path, size=_size(len(first), image, CAPTION, words))
    if len(first) > 0:
        low, high = samples.min(), samples.max()
        shown = (samples[first] - low) / (high - low or 1.0)
        captions = [f"{true[index]} → {predicted[index]}" for index in first]
        _draw_images(axes, shown.reshape(-1, *image), captions, cmap="gray", vmin=0, vmax=1)
    else:
        axes.set_axis_off()
    title(axes, words)
    finish([axes], path, ink=ax is None)
    return axes


def _columns(count: int) -> int:
    return max(1, math.ceil(math.sqrt(count)))


def _size(count: int, image: tuple[int, ...], caption: float, words: str) -> tuple[float, float]:
    """Inches for a square of images with a title above; without one, for the title."""
    if count == 0:
        return 3.4, 0.6
    columns = _columns(count)
    rows = max(1, math.ceil(count / columns))
    width = min(6.0, max(2.6, 0.95 * columns, 0.115 * len(words)))
    return width + 0.2, width / columns * rows * (image[0] / image[1] + caption) + 0.5


def _draw_images(axes: Axes, images: Array, captions: Sequence[str], **colours: Any) -> None:
    """Draw images in rows, a caption above each, all in axes where an image is 1 wide."""
    tall = images.shape[1] / images.shape[2]
    columns = _columns(len(images))
    rows = math.ceil(len(images) / columns)
    step = tall + GAP + (CAPTION if any(captions) else 0.0)
    for index, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left, top = index % columns * (1 + GAP), -(index // columns) * step
        extent = (left, left + 1, top - tall, top)
        axes.imshow(image, extent=extent, interpolation="nearest", **colours)
        corners = ([left, left + 1, left + 1, left, left], [top, top, top - tall, top - tall, top])
        axes.plot(*corners, color=INK, linewidth=0.6)
        if caption:
            axes.text(left + 0.5, top + 0.04, caption, ha="center", va="bottom", fontsize=8)
    above = CAPTION if any(captions) else 0.0
    axes.set(xlim=(-0.02, columns * (1 + GAP) - GAP + 0.02), ylim=(-rows * step + step - tall - 0.02, above + 0.02))
    axes.set_aspect("equal")
    axes.set_axis_off()
