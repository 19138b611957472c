"""Trainings with something besides layers and a loss."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganglion import reference
from ganglion.benchmark.networks import Training
from ganglion.benchmark.workload import Array, Exact, exact_optimizer

__all__ = ["CLIP_NORM", "DROPOUT_RATE", "FEATURES", "NORM_EPSILON", "NORM_MOMENTUM", "FeatureTraining", "with_features"]

FEATURES = {
    "dropout": "dropout after each hidden layer",
    "norm": "batch normalization after each hidden layer",
    "metrics": "accuracy of every batch",
    "clipping": "gradients of bounded norm",
}
DROPOUT_RATE = 0.2
NORM_EPSILON, NORM_MOMENTUM = 1e-3, 0.9  # the share of the moving statistics that stays
CLIP_NORM = 0.5  # the networks' gradients are two to four times as large


@dataclass(frozen=True)
class FeatureTraining(Training):
    """A training with one of `FEATURES`; the answer is its weights without moving statistics."""

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return f"{super().title}, {FEATURES[self.feature]}"

    def plain(self) -> Training:
        """The same training without the feature."""
        return Training(**{field.name: getattr(self, field.name) for field in fields(self) if field.name != "feature"})

    def weights(self) -> list[Array]:
        """Kernel and bias of each layer in turn; after those of a hidden one its normalization's γ and β."""
        weights = super().weights()
        if self.feature != "norm":
            return weights
        layers = [weights[at : at + 2] for at in range(0, len(weights), 2)]
        ones = [[np.ones_like(bias), np.zeros_like(bias)] for _, bias in layers[:-1]]
        return [*itertools.chain.from_iterable(a + b for a, b in zip(layers, ones, strict=False)), *layers[-1]]

    def expected(self) -> list[Exact]:
        """The right weights, computed in float64 by `ganglion.reference`."""
        steps, epochs, _ = self.checked_amount
        x, y = (part[: steps * self.batch] for part in self.data())
        optimizer = exact_optimizer(self.optimizer)
        if self.feature == "clipping":
            optimizer.clip_norm = CLIP_NORM
        model = self._model()
        settings = {"epochs": epochs, "batch_size": self.batch, "shuffle": False}
        reference.train(model, x, y, loss=self.loss, optimizer=optimizer, **settings)  # type: ignore[arg-type]
        return model.parameters

    def _model(self) -> reference.Sequential:
        exact = [weight.astype(np.float64) for weight in self.weights()]
        layers: list[reference.Layer] = []
        count = len(self.widths) - 1
        for layer in range(count):
            layers.append(reference.Dense(exact.pop(0), exact.pop(0)))
            if layer == count - 1:
                break
            layers.append(reference.Activation(self.activation))
            if self.feature == "dropout":
                layers.append(reference.Dropout(DROPOUT_RATE, seed=0, index=layer))
            if self.feature == "norm":
                gamma, beta = exact.pop(0), exact.pop(0)
                moving = np.zeros_like(beta), np.ones_like(beta)
                layers.append(reference.BatchNormalization(gamma, beta, *moving, NORM_EPSILON, NORM_MOMENTUM))
        return reference.Sequential(layers)

    def deviation(self, answer: Sequence[NDArray[Any]], expected: Sequence[Exact]) -> float:
        """As ever; with dropout, whose zeros each peer draws for itself, how far the lengths of the changes differ.

        An answer that would be right without dropout is wrong then.
        """
        deviation = super().deviation(answer, expected)
        if self.feature != "dropout" or np.isinf(deviation):
            return deviation
        plain = self.plain()
        if plain.deviation(answer, plain.expected()) <= Training.tolerance:
            return np.inf
        ways = [
            _lengths(array - start for array, start in zip(arrays, self.start(), strict=True))
            for arrays in (answer, expected)
        ]
        return float(np.abs(ways[0] / ways[1] - 1).max())


def _lengths(arrays: Iterable[NDArray[Any]]) -> Exact:
    return np.array([np.linalg.norm(array) for array in arrays])


def with_features(work: Training) -> tuple[FeatureTraining, ...]:
    """The training with each of the features.

    Examples
    --------
    >>> from ganglion.benchmark.workloads import find
    >>> [each.name for each in with_features(find("tabular")[0])]
    ['tabular-dropout', 'tabular-norm', 'tabular-metrics', 'tabular-clipping']
    """
    described = {field.name: getattr(work, field.name) for field in fields(work)}
    return tuple(FeatureTraining(**described | {"name": f"{work.name}-{name}", "feature": name}) for name in FEATURES)
