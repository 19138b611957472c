"""Keras's way to say a model's input shape: an object before the first layer, which is itself none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ganglion import inputs

__all__ = ["Input", "with_input_shape"]

L = TypeVar("L")


@dataclass(frozen=True)
class Input:
    """The shape of one sample, in place of an ``input_shape`` of the first layer.

    Parameters
    ----------
    shape
        ``(features,)``; ``(28, 28)`` before layers that take samples of any shape.

    Raises
    ------
    TypeError, ValueError
        If it is no such tuple or list.

    Examples
    --------
    >>> import ganglion as gg
    >>> gg.Sequential([gg.layers.Input((4,)), gg.Dense(2)]).input_shape
    (4,)
    """

    shape: Sequence[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", inputs.shape("shape", self.shape))


def with_input_shape(given: Input, layer: L) -> L:
    """A first layer that knows its input's shape.

    Raises
    ------
    ValueError
        If it says another.
    """
    first: Any = layer
    if not hasattr(first, "input_shape"):
        return layer  # no layer: whoever takes it says so
    if first.input_shape not in (None, given.shape):
        raise ValueError(f"Input has shape {given.shape}, but the layer after it input_shape {first.input_shape}")
    result: L = first.changed(input_shape=given.shape)
    return result
