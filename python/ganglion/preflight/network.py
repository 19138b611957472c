"""What the layers say of themselves, and of the loss and the targets that they are to meet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ganglion.custom import CustomMetric
from ganglion.layers import Dense
from ganglion.losses import BinaryCrossEntropy, CrossEntropy
from ganglion.metrics import R2, MeanAbsoluteError, MeanSquaredError
from ganglion.preflight.findings import Finding, listed, number
from ganglion.transformations import Dropout, Flatten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganglion.inputs import Array, Targets
    from ganglion.layer import Layer
    from ganglion.losses import Loss
    from ganglion.metrics import Metric
    from ganglion.sequential import Sequential

__all__ = ["look_at_last_layer", "look_at_layers", "look_at_metrics"]

OF_VALUES = (CustomMetric, MeanAbsoluteError, MeanSquaredError, R2)
# What an activation cannot give, beyond rounding.
RANGES = {
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "step": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, math.inf),
    "softplus": (0.0, math.inf),
}


def look_at_layers(copy: Sequential) -> list[Finding]:
    """What hardly anybody means by such a row of layers; `copy` has the model's weights."""
    layers = copy.layers
    findings = [*_linear_twice(layers), *_softmax_inside(layers), *_dropout_last(layers), *_all_the_same(copy)]
    if findings:
        return findings
    dense = sum(isinstance(layer, Dense) for layer in layers)
    if dense == 1:
        return [Finding("layers", "ok", "no hidden layer: such a model learns what is linear, and nothing else")]
    return [Finding("layers", "ok", f"{dense} of them dense" if dense else "none of them dense")]


def _linear_twice(layers: list[Layer]) -> list[Finding]:
    before = None  # a dense layer whose outputs nothing has bent yet
    for layer in layers:
        if isinstance(layer, Dense):
            if before is not None:
                said = f"between {before.name!r} and {layer.name!r} is no activation: both together do what one could"
                remedy = f"write Dense({before.units}, activation='relu')"
                return [Finding("layers", "warning", said, remedy)]
            before = layer if layer.function.transparent else None
        elif not isinstance(layer, (Dropout, Flatten)) and not layer.transparent:
            before = None
    return []


def _softmax_inside(layers: list[Layer]) -> list[Finding]:
    last = max((i for i, layer in enumerate(layers) if not layer.transparent), default=0)
    for layer in layers[:last]:
        if layer.function.row == "softmax":
            said = f"layer {layer.name!r} has a softmax inside the model: its outputs share a sum of 1"
            return [Finding("layers", "warning", said, "use activation='relu' in all layers but the last")]
    return []


def _dropout_last(layers: list[Layer]) -> list[Finding]:
    last = layers[-1]
    if isinstance(last, Dropout) and last.rate > 0:
        said = f"layer {last.name!r} comes last, so that in training {100 * last.rate:.0f} % of the outputs are dropped"
        return [Finding("layers", "warning", said, "put it between the layers before")]
    return []


def _all_the_same(copy: Sequential) -> list[Finding]:
    """Hidden units with the same weights get the same gradients, for ever."""
    dense = [layer for layer in copy.layers if isinstance(layer, Dense)]
    arrays = copy.arrays()
    for layer in dense[:-1]:
        kernel = arrays[f"{layer.name}.kernel"]
        if layer.units > 1 and (kernel == kernel[:, :1]).all():
            said = f"all {layer.units} units of {layer.name!r} have the same weights, and will learn the same"
            return [Finding("layers", "warning", said, "leave kernel_initializer at its default, or use 'he_uniform'")]
    return []


def look_at_last_layer(model: Sequential, loss: Loss, targets: Targets, outputs: int) -> list[Finding]:
    """Whether the outputs can be what the loss wants."""
    function = model.architecture.function.row
    layer = next((layer for layer in reversed(model.layers) if not layer.transparent), model.layers[-1])
    name = layer.name
    if function == "softmax" and outputs == 1:
        said = f"layer {name!r} is a softmax over one output, which is 1 whatever the weights are"
        remedy = "for yes or no use activation='sigmoid' and loss='binary_cross_entropy', or two outputs"
        return [Finding("last layer", "warning", said, remedy)]
    if isinstance(loss, (CrossEntropy, BinaryCrossEntropy)):
        return [_logits(name, function, loss, outputs)]
    return [_reach(name, function, targets.array)] if targets.kind == "values" else []


def look_at_metrics(metrics: Sequence[Metric], loss: Loss, targets: Targets) -> list[Finding]:
    """Whether a metric of classes is asked for where targets are measurements."""
    of_classes = [metric.key for metric in metrics if not isinstance(metric, OF_VALUES)]
    if isinstance(loss, (CrossEntropy, BinaryCrossEntropy)) or targets.kind == "labels" or not of_classes:
        return []
    if ((targets.array == 0) | (targets.array == 1)).all():
        return []
    said = f"{listed(of_classes)} of targets that are no classes says nothing: yes is what is above 0.5"
    return [Finding("metrics", "warning", said, "use metrics=['mae', 'r2']")]


def _logits(name: str | None, function: str, loss: CrossEntropy | BinaryCrossEntropy, outputs: int) -> Finding:
    own = "softmax" if isinstance(loss, CrossEntropy) else "sigmoid"
    ends = "Dense(classes)" if own == "softmax" else "Dense(1)" if outputs == 1 else "Dense(questions)"
    if function == own:
        said = f"ends in {own}, which training takes together with the loss; predict gives probabilities"
        return Finding("last layer", "ok", said)
    bent = {"tanh": "stay between −1 and 1", "relu": "are never negative", "softplus": "are never negative"}
    if loss.from_logits and function in bent:
        said = f"layer {name!r} ends in {function}, but the loss takes logits, any numbers, and these {bent[function]}"
        return Finding("last layer", "warning", said, f"end the model in a plain {ends}, without an activation")
    if not loss.from_logits:
        doing = "divides by their sum" if own == "softmax" else "takes for probabilities, and cuts off above 1"
        said = f"layer {name!r} ends in {function}, whose outputs the loss {doing}"
        return Finding("last layer", "warning", said, f"end the model in {own}")
    said = f"ends in logits, which the loss takes; predict gives logits, predict_proba the {own} of them"
    return Finding("last layer", "ok", said)


def _reach(name: str | None, function: str, values: Array) -> Finding:
    low, high = RANGES.get(function, (-math.inf, math.inf))
    outside = np.flatnonzero((values.min(axis=0) < low) | (values.max(axis=0) > high))
    if function == "identity":
        return Finding("last layer", "ok", "ends without an activation: outputs can be any number, as y can")
    if outside.size == 0:
        return Finding("last layer", "ok", f"ends in {function}, which reaches the targets")
    given = f"{number(float(values.min()))} to {number(float(values.max()))}"
    bounds = f"{number(low)} to {number(high)}" if math.isfinite(high) else "0 and more"
    where = "" if values.shape[1] == 1 else f" (column {listed(outside)})"
    said = f"layer {name!r} ends in {function}, which gives {bounds}, but y is {given}{where}"
    return Finding("last layer", "warning", said, "end the model in a plain Dense, without an activation, or scale y")
