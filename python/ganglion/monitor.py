"""What the layers look like while they learn, and warnings where something goes wrong in one of them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ganglion import inputs
from ganglion.errors import TrainingWarning
from ganglion.events import Callback

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganglion import _native

    Exact = NDArray[np.float64]
    Seen = NDArray[np.bool_]
    Series = dict[str, list[float]]  # a value for each look, by quantity

__all__ = ["QUANTITIES", "Monitor"]

# As the core orders them.
QUANTITIES = ("gradient_norm", "weight_norm", "update_ratio", "zeros", "saturated", "dead")

LOOKS = 3  # in a row that a concern must last for
VANISHED = 1e-3  # of the largest gradient; healthy layers lie within a factor of 30 of each other
EXPLODED = 1e3  # times the first gradient
LARGE_STEP = 0.3  # of the weights
MANY = 0.5  # units or outputs
SMALLEST = 1e-300  # in place of a norm of 0 that something is divided by

# What is said of each concern, and its cure.
CONCERNS = {
    "vanishing": (
        "gradients are {:.1g} times the largest layer's",
        "they vanish on the way back: use activation='relu' with kernel_initializer='he_normal', fewer layers, or "
        "BatchNormalization between them",
    ),
    "exploding": (
        "gradients are {:.1g} times those of the first look",
        "they explode: bound them by clip_norm=1 in the optimizer, lower the learning rate, or scale the inputs",
    ),
    "steps": ("an update changes the weights by {:.0%}", "the steps are too large: lower the learning rate"),
    "dead": (
        "{:.0%} of its units are 0 for every row of the batch",
        "such units learn nothing: lower the learning rate, use activation='leaky_relu', or "
        "kernel_initializer='he_normal'",
    ),
    "saturated": (
        "{:.0%} of its outputs are at an end of their range",
        "where the activation is flat, almost no gradient passes: scale the inputs to mean 0 and deviation 1, lower "
        "the learning rate, or use activation='relu'",
    ),
}


class Monitor(Callback):
    """Looks at gradients, weights and outputs of every layer in some of the steps, and warns of what goes wrong.

    The core gathers the numbers in passing. Weights are the same as without, bit for bit.

    Parameters
    ----------
    every
        Optimizer steps from one look to the next, counted over all fits of a trainer.
    warn
        Whether to warn, once for each layer and concern, of gradients that vanish or explode, steps that are too
        large, and units that are dead or saturated in three looks in a row: a `ganglion.errors.TrainingWarning`.

    Attributes
    ----------
    steps : list of int
        The steps looked at, from 0.
    losses : list of float
        The loss of every batch, looked at or not, before its update.
    layers : dict of str to dict of str to list of float
        By layer and quantity a value for each look: ``"gradient_norm"`` ‖∂L/∂w‖, w being all parameters of the layer,
        before clipping; ``"weight_norm"`` ‖w‖ before the step; ``"update_ratio"`` ‖Δw‖ / ‖w‖; NaN for layers without
        parameters. Of the layer's outputs for the batch, an activation layer of its own being part of the layer before
        it: ``"zeros"``, the share that is 0; ``"saturated"``, the share of a sigmoid's or tanh's within a hundredth of
        its range from an end; ``"dead"``, the share of the units that are 0 for all rows, NaN for less than 16 of them.

    Raises
    ------
    TypeError, ValueError
        If `every` is no whole number of at least 1.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(gg.Dense(8, "tanh", input_shape=(2,)), gg.Dense(1))
    >>> x = np.eye(2)[[0, 1, 1, 0]]
    >>> history = gg.Trainer(model, "mse").fit(x, x[:, 0], epochs=5, callbacks=[gg.Monitor(every=2)], verbose=0)
    >>> history.monitored_steps, list(history.monitored)
    ([0, 2, 4], ['dense', 'dense_1'])
    >>> norms = history.monitored["dense_1"]["gradient_norm"]
    >>> len(norms), norms[0] > norms[2]
    (3, True)
    """

    def __init__(self, every: int = 100, *, warn: bool = True) -> None:
        self.every = inputs.integer("every", every, minimum=1, maximum=inputs.LARGEST_COUNT)
        self.warn = inputs.flag("warn", warn)
        self.begin()

    def begin(self) -> None:
        """Forget all looks: a fit begins."""
        self.steps: list[int] = []
        self.layers: dict[str, Series] = {}
        self.losses: list[float] = []
        self._said: set[tuple[str, str]] = set()

    def look(self, training: _native.Training) -> None:
        """Take the core's looks, and warn."""
        steps, names, values, losses = training.watched()
        self.losses.extend(losses)
        if not steps:
            return
        self.steps.extend(steps)
        for layer, name in enumerate(names):
            series = self.layers.setdefault(name, {quantity: [] for quantity in QUANTITIES})
            for index, quantity in enumerate(QUANTITIES):
                series[quantity].extend(values[:, layer, index].tolist())
        if self.warn:
            self._warn_of_latest(len(steps))

    def _warn_of_latest(self, looks: int) -> None:
        since = min(len(self.steps), looks + LOOKS - 1)
        if since < LOOKS:
            return
        latest = {name: {q: np.array(x[-since:]) for q, x in each.items()} for name, each in self.layers.items()}
        for layer, concern, seen, values in self._concerns(latest):
            lasting = np.lib.stride_tricks.sliding_window_view(seen, LOOKS).all(axis=1)
            if lasting.any() and (layer, concern) not in self._said:
                self._said.add((layer, concern))
                look = int(lasting.argmax()) + LOOKS - 1
                words, cure = CONCERNS[concern]
                text = f"layer '{layer}': {words.format(values[look])} at step {self.steps[look - since]}; {cure}"
                warnings.warn(text, TrainingWarning, stacklevel=_user_level())

    def _concerns(self, latest: dict[str, dict[str, Exact]]) -> Iterator[tuple[str, str, Seen, Exact]]:
        """Layer, concern, in which of the latest looks it was seen, and what is said of each."""
        trained = {name: series for name, series in latest.items() if not np.isnan(series["weight_norm"][-1])}
        shares = np.array([series["gradient_norm"] for series in trained.values()])
        shares = shares / np.maximum(shares.max(axis=0), SMALLEST)
        least = int(shares[:, -1].argmin())
        yield list(trained)[least], "vanishing", shares[least] < VANISHED, shares[least]
        for name, series in trained.items():
            growth = series["gradient_norm"] / max(self.layers[name]["gradient_norm"][0], SMALLEST)
            yield name, "exploding", growth > EXPLODED, growth
            ratio = series["update_ratio"]
            yield name, "steps", (ratio > LARGE_STEP) & np.isfinite(ratio), ratio
        for name, series in list(latest.items())[:-1]:  # the last one's outputs may well be at an end of their range
            if name in trained:
                yield name, "dead", series["dead"] > MANY, series["dead"]
            yield name, "saturated", series["saturated"] > MANY, series["saturated"]


def _user_level() -> int:
    """How far up from whoever warns the first line is that is not of this package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "ganglion":
        frame, level = frame.f_back, level + 1
    return level
