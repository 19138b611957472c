"""Gradients held within bounds before an optimizer sees them."""

from collections.abc import Sequence

import numpy as np

from .array import Array


def clipped(gradients: Sequence[Array], clip_norm: float | None = None, clip_value: float | None = None) -> list[Array]:
    """Scale all gradients by c / max(c, √Σ g²), c being `clip_norm`, or limit each element to ± `clip_value`.

    The norm is that of all of them together (Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013, section 3.2).

    Examples
    --------
    >>> clipped([np.array([3.0]), np.array([4.0])], clip_norm=1.0)
    [array([0.6]), array([0.8])]
    >>> clipped([np.array([3.0, -0.5])], clip_value=1.0)
    [array([ 1. , -0.5])]
    """
    if clip_norm is not None:
        norm = np.sqrt(sum(float(np.sum(g**2)) for g in gradients))
        gradients = [g * (clip_norm / max(clip_norm, norm)) for g in gradients]
    if clip_value is not None:
        gradients = [np.clip(g, -clip_value, clip_value) for g in gradients]
    return list(gradients)
