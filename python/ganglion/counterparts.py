"""A model's layers as the reference has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganglion.layers import (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    LayerNormalization,
    NamedActivation,
    Rescale,
)

if TYPE_CHECKING:
    from ganglion import reference
    from ganglion.inputs import Array
    from ganglion.sequential import Sequential

__all__ = ["in_reference"]


def in_reference(model: Sequential, weights: list[Array]) -> tuple[list[reference.Layer], list[int]]:
    """The layers in the reference with exactly these weights, and where among them each of the model's layers ends."""
    from ganglion import reference

    def rounded(number: float) -> float:
        return float(np.dtype(model.dtype).type(number))

    remaining = iter(weight.astype(np.float64) for weight in weights)
    layers: list[reference.Layer] = []
    ends = []
    dropouts = 0
    for layer in model.layers:
        if isinstance(layer, Dense):
            dense = reference.Dense(next(remaining), next(remaining) if layer.use_bias else None)
            dense.l1, dense.l2 = layer.penalty
            layers.append(dense)
        elif isinstance(layer, Dropout):
            layers.append(reference.Dropout(layer.rate, model.seed, dropouts))
            dropouts += 1
        elif isinstance(layer, (BatchNormalization, LayerNormalization)):
            gamma = next(remaining) if layer.scale else None
            beta = next(remaining) if layer.center else None
            epsilon = rounded(layer.epsilon)
            if isinstance(layer, BatchNormalization):
                moving = next(remaining), next(remaining)
                layers.append(reference.BatchNormalization(gamma, beta, *moving, epsilon, layer.momentum))
            else:
                layers.append(reference.LayerNormalization(gamma, beta, epsilon))
        elif isinstance(layer, Rescale):
            layers.append(reference.Rescale(rounded(layer.scale), rounded(layer.offset)))
        elif isinstance(layer, Flatten):
            layers.append(reference.Flatten())
        function = layer.function
        options = dict.fromkeys(reference.ACTIVATIONS[function.core_row].options, rounded(function.alpha))
        if function.core_row != "identity" or isinstance(layer, (Activation, NamedActivation)):
            layers.append(reference.Activation(function.core_row, **options))
        ends.append(len(layers) - 1)
    return layers, ends
