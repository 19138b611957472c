"""What the layers look like while they learn, and warnings where something goes wrong in one of them."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

import numpy as np

from ganglion import inputs
from ganglion.errors import TrainingWarning
from ganglion.events import Callback
from ganglion.looks import QUANTITIES, Looks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganglion import _native
    from ganglion.looks import Series

    Exact = NDArray[np.float64]
    Seen = NDArray[np.bool_]

__all__ = ["QUANTITIES", "Monitor"]

LOOKS = 3  # in a row that a concern must last for
VANISHED = 1e-3  # of the largest gradient; healthy layers lie within a factor of 30 of each other
EXPLODED = 1e3  # times the first gradient
LARGE_STEP = 0.3  # of the weights
MANY = 0.5  # units or outputs
SMALLEST = 1e-300  # in place of a norm of 0 that something is divided by
LIMITS = np.array([np.inf, np.inf, LARGE_STEP, np.inf, MANY, MANY])  # by quantity: a concern only beyond

# What is said of each concern, and its cure, in the order of `Monitor._concerns`.
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
        self.looks = Looks()
        self._said: set[tuple[str, str]] = set()
        self._first: Exact | None = None  # (layers, 1): gradient norms of the first look
        self._before: list[tuple[list[int], Exact]] = []  # the latest looks: no concern can last from those before them

    @property
    def steps(self) -> list[int]:
        """The steps looked at."""
        return self.looks.steps

    @property
    def layers(self) -> dict[str, Series]:
        """By layer and quantity a value for each look."""
        return self.looks.layers

    @property
    def losses(self) -> list[float]:
        """The loss of every batch."""
        return self.looks.losses

    def look(self, training: _native.Training) -> None:
        """Take the core's looks, and warn."""
        steps, names, values, losses = training.watched()
        self.looks.add(steps, names, values, losses)
        if self.warn and steps:
            self._warn(steps, names, values)

    def _warn(self, steps: list[int], names: list[str], values: Exact) -> None:
        if self._first is None:
            self._first = values[0, :, :1]
        before = self._before
        self._before = [*before, (steps, values)][1 - LOOKS :]
        if self._healthy(values, self._first):
            return
        steps = [step for piece in before for step in piece[0]][1 - LOOKS :] + steps
        values = np.concatenate([*(piece[1] for piece in before), values])[-len(steps) :]
        numbers, seen = self._concerns(np.ascontiguousarray(values.transpose(2, 1, 0)), self._first)
        lasting = seen[..., 2:] & seen[..., 1:-1] & seen[..., :-2]
        for layer, concern in np.argwhere(lasting.any(axis=2).T).tolist():
            name, kind = names[layer], list(CONCERNS)[concern]
            if (name, kind) not in self._said:
                self._said.add((name, kind))
                look = int(lasting[concern, layer].argmax()) + LOOKS - 1
                words, cure = CONCERNS[kind]
                text = f"layer '{name}': {words.format(numbers[concern][layer, look])} at step {steps[look]}; {cure}"
                warnings.warn(text, TrainingWarning, stacklevel=_user_level())

    @staticmethod
    def _healthy(values: Exact, first: Exact) -> bool:
        """Whether it takes no closer look at (looks, layers, quantities) to tell that none is a concern."""
        gradients = values[..., 0]
        least, largest = np.fmin.reduce(gradients, axis=None), np.fmax.reduce(gradients, axis=None)
        alike = least > 2 * VANISHED * largest and 2 * largest < EXPLODED * np.fmin.reduce(first, axis=None)
        return bool(alike) and not (values > LIMITS).any()

    @staticmethod
    def _concerns(values: Exact, first: Exact) -> tuple[list[Exact], Seen]:
        """For each concern (layers, looks): what is said of it, and whether it is one. NaN never is."""
        gradients, weights, ratios, _, saturated, dead = values
        shares = gradients / np.maximum(np.fmax.reduce(gradients), SMALLEST)
        growth = gradients / np.maximum(first, SMALLEST)
        trained = ~np.isnan(weights[:, -1])
        least = np.where(trained, shares[:, -1], np.inf).argmin()
        seen = np.zeros((len(CONCERNS), *shares.shape), bool)
        seen[0, least] = shares[least] < VANISHED
        np.greater(growth, EXPLODED, out=seen[1])
        np.logical_and(ratios > LARGE_STEP, ratios < np.inf, out=seen[2])
        # The last one's outputs may well be at an end of their range.
        np.logical_and(dead[:-1] > MANY, trained[:-1, None], out=seen[3, :-1])
        np.greater(saturated[:-1], MANY, out=seen[4, :-1])
        return [shares, growth, ratios, dead, saturated], seen


def _user_level() -> int:
    """How far up from whoever warns the first line is that is not of this package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "ganglion":
        frame, level = frame.f_back, level + 1
    return level
