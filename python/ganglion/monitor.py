"""What the layers look like while they learn, and warnings where something goes wrong in one of them."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

import numpy as np

from ganglion import inputs
from ganglion.activations import SELU, Identity, ReLU, Sigmoid, Softmax, Step, Tanh
from ganglion.errors import TrainingWarning
from ganglion.events import Callback
from ganglion.layers import Dense
from ganglion.looks import QUANTITIES, Looks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganglion import _native
    from ganglion.activations import NamedActivation
    from ganglion.layer import Layer
    from ganglion.looks import Series

    Exact = NDArray[np.float64]
    Seen = NDArray[np.bool_]

__all__ = ["QUANTITIES", "Monitor"]

LOOKS = 3  # in a row that a concern must last for
VANISHED = 1e-3  # of the largest gradient; healthy layers lie within a factor of 65 of each other
SMALL = 1e-2  # of the largest gradient: below it a network may learn; a concern where the loss does not move
MOVED = 0.95  # of the first batches' mean loss; a network that learns slowly is below it after some dozens of batches
WINDOW = 50  # batches of such a mean: their loss scatters by far less than MOVED leaves
LEARNT = 0.1  # of the first loss: whoever got there learns, whatever share of little each layer's gradient is
NO_LOSS = 0.01  # little in itself: a fit that begins there has nothing to learn
EXPLODED = 1e3  # times the largest first gradient, or the last layer's; healthy ones grow to 10 times on the way back
HUGE = 1e4  # times the weights: a step of SGD at the rate 0.01 is a hundred times as large as what it changes
LARGE_STEP = 0.3  # of the weights
MANY = 0.5  # units or outputs
SMALLEST = 1e-300  # in place of a norm of 0 that something is divided by
LIMITS = np.array([np.inf, np.inf, LARGE_STEP, np.inf, MANY, MANY])  # by quantity: a concern only beyond

VANISHING = "they vanish on the way back: use {begin}, fewer layers, or BatchNormalization between them"
# What is said of each concern, and its cure, in the order of `Monitor._concerns`.
CONCERNS = {
    "vanishing": ("gradients are {} times the largest layer's", VANISHING),
    "exploding": (
        "gradients are {} times the largest of the first look",
        "they explode: bound them by clip_norm=1 in the optimizer, lower the learning rate, or scale the inputs",
    ),
    "steps": ("an update changes the weights by {}", "the steps are too large: lower the learning rate"),
    "dead": (
        "{} of its units are 0 for every row of the batch",
        "such units learn nothing: lower the learning rate, {alive}",
    ),
    "saturated": (
        "{} of its outputs are at an end of their range",
        "where the activation is flat, almost no gradient passes: scale the inputs to mean 0 and deviation 1, lower "
        "the learning rate, or use activation='relu'",
    ),
    "stuck": ("gradients are {} times the largest layer's, and the loss does not move", VANISHING),
    "growing": (
        "gradients are {} times the last layer's",
        "they explode on the way back: use smaller weights, kernel_initializer='{initializer}', or "
        "BatchNormalization between the layers",
    ),
    "huge": (
        "gradients are {} times as large as its weights",
        "they explode: use smaller weights, kernel_initializer='{initializer}', scale inputs and targets, or bound "
        "them by clip_norm=1 in the optimizer",
    ),
}
BOUNDED = (Sigmoid, Tanh, Softmax, Step)  # flat at both ends


class Monitor(Callback):
    """Looks at gradients, weights and outputs of every layer in some of the steps, and warns of what goes wrong.

    The core gathers the numbers in passing. Weights are the same as without, bit for bit.

    Parameters
    ----------
    every
        Optimizer steps from one look to the next, counted over all fits of a trainer.
    warn
        Whether to warn, once for each layer and concern, of what lasts for three looks in a row, by a
        `ganglion.errors.TrainingWarning`: gradients below a thousandth of the largest layer's, or a hundredth where
        the loss has not moved in 100 batches; gradients above a thousand times the largest of the first look or the
        last layer's, or 10 000 times the weights; updates by more than 30% of the weights; more than half of the
        units dead, or of the outputs saturated.

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
        self._first: Exact | None = None  # (layers, 2): norms of the first look, of gradients and weights; NaN for 0
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
            self._first = np.where(values[0, :, :2] > 0, values[0, :, :2], np.nan)
        before = self._before
        self._before = [*before, (steps, values)][1 - LOOKS :]
        if self._healthy(values, self._first):
            return
        steps = [step for piece in before for step in piece[0]][1 - LOOKS :] + steps
        values = np.concatenate([*(piece[1] for piece in before), values])[-len(steps) :]
        numbers, seen = self._concerns(np.ascontiguousarray(values.transpose(2, 1, 0)), self._first)
        kinds = list(CONCERNS)
        vanishing, stuck = kinds.index("vanishing"), kinds.index("stuck")
        lasting = seen[..., 2:] & seen[..., 1:-1] & seen[..., :-2]
        if lasting[[vanishing, stuck]].any():
            moved, learnt = self._losses_at(steps[LOOKS - 1 :])
            lasting[vanishing] &= ~learnt
            lasting[stuck] &= ~learnt & ~moved & ~lasting[vanishing].any()
        for layer, concern in np.argwhere(lasting.any(axis=2).T).tolist():
            name, kind = names[layer], kinds[concern]
            if (name, kind) in self._said or (kind == "stuck" and (name, "vanishing") in self._said):
                continue
            self._said.add((name, kind))
            look = int(lasting[concern, layer].argmax()) + LOOKS - 1
            words, cure = CONCERNS[kind]
            said = words.format(_number(kind, numbers[concern][layer, look]))
            text = f"layer '{name}': {said} at step {steps[look]}; {_cure(cure, self.model.layers, name)}"
            warnings.warn(text, TrainingWarning, stacklevel=_user_level())

    def _losses_at(self, steps: list[int]) -> tuple[Seen, Seen]:
        """By look whether the loss had moved, which few batches cannot tell, and whether all was learnt."""
        losses = np.array(self.looks.losses)
        sums = np.concatenate([[0.0], np.cumsum(losses)])
        batches = 1 + (np.array(steps) - self.looks.steps[0]) * self.trainer.accumulate
        batches = np.clip(batches, 1, len(losses))
        first = sums[min(WINDOW, len(losses))] / min(WINDOW, len(losses))
        mean = (sums[batches] - sums[np.maximum(batches - WINDOW, 0)]) / np.minimum(batches, WINDOW)
        moved = (batches < 2 * WINDOW) | (mean < MOVED * first)
        return moved, losses[batches - 1] < max(LEARNT * losses[0], NO_LOSS)

    @staticmethod
    def _healthy(values: Exact, first: Exact) -> bool:
        """Whether it takes no closer look at (looks, layers, quantities) to tell that none is a concern."""
        gradients, weights = values[..., 0], values[..., 1]
        least, largest = np.fmin.reduce(gradients, axis=None), np.fmax.reduce(gradients, axis=None)
        alike = least > 1.1 * SMALL * largest and 2 * largest < EXPLODED * np.fmax.reduce(first[:, 0])
        usual = 2 * largest < HUGE * np.fmin.reduce(weights, axis=None)
        return bool(alike and usual) and not (values > LIMITS).any()

    @staticmethod
    def _concerns(values: Exact, first: Exact) -> tuple[list[Exact], Seen]:
        """For each concern (layers, looks): what is said of it, and whether it is one. NaN never is."""
        gradients, weights, ratios, _, saturated, dead = values
        shares = gradients / np.maximum(np.fmax.reduce(gradients), SMALLEST)
        growth = gradients / np.fmax.reduce(first[:, 0])
        trained = ~np.isnan(weights[:, -1])
        known = ~np.isnan(first[:, 1:])  # weights that begin at 0 have no size that anything could be compared with
        last = gradients[np.flatnonzero(trained)[-1]] if trained.any() else gradients[-1]
        growing = gradients / np.where(last > 0, last, np.nan)
        sizes = gradients / np.where((weights > 0) & known, weights, np.nan)
        seen = np.zeros((len(CONCERNS), *shares.shape), bool)
        np.greater(growth, EXPLODED, out=seen[1])
        np.logical_and((ratios > LARGE_STEP) & (ratios < np.inf), known, out=seen[2])
        # The last one's outputs may well be at an end of their range.
        np.logical_and(dead[:-1] > MANY, trained[:-1, None], out=seen[3, :-1])
        np.greater(saturated[:-1], MANY, out=seen[4, :-1])
        most = np.nan_to_num(sizes[:, -1], nan=-1.0).argmax()
        seen[7, most] = sizes[most] > HUGE
        first_trained = trained.argmax()
        seen[6, first_trained] = growing[first_trained] > EXPLODED
        least = np.where(trained, shares[:, -1], np.inf).argmin()
        # Nothing passes a dead unit, and beside a gradient that exploded any other one is small.
        comparable = (shares[least] > 0) & ~(dead[least:-1] > MANY).any(axis=0) & ~(seen[6] | seen[7]).any(axis=0)
        comparable &= not (trained & ~known[:, 0])[least + 1 :].any()  # nor weights that began at 0
        seen[0, least] = comparable & (shares[least] < VANISHED)
        seen[5, least] = comparable & (shares[least] < SMALL)
        return [shares, growth, ratios, dead, saturated, shares, growing, sizes], seen


def _number(kind: str, number: float) -> str:
    """As it is said of this concern."""
    if kind in ("dead", "saturated") or (kind == "steps" and number <= 10):
        return f"{number:.0%}"
    rounded = f"{float(f'{number:.1g}'):g}".replace("e+", "e")
    return f"{rounded} times their size" if kind == "steps" else rounded


def _cure(cure: str, layers: list[Layer], name: str) -> str:
    """The cure for the layer of this name, as far as it depends on the activation behind it."""
    here = next((number for number, layer in enumerate(layers) if str(layer.name) == name), 0)
    end = next((number for number in range(here + 1, len(layers)) if isinstance(layers[number], Dense)), len(layers))
    known = [layer.function for layer in layers[:end] if not isinstance(layer.function, Identity)]
    own = [layer.function for layer in layers[here:end] if not isinstance(layer.function, Identity)]
    function: NamedActivation = [Identity(), *known[-1:], *own[:1]][-1]  # a last layer has that of those before it
    bounded = isinstance(function, BOUNDED)
    begin = "lecun_normal" if isinstance(function, SELU) else "he_normal"  # Klambauer et al., 2017; He et al., 2015
    initializer = "glorot_uniform" if bounded or isinstance(function, Identity) else begin
    return cure.format(
        initializer=initializer,
        begin=("activation='relu' with " if bounded else "") + f"kernel_initializer='{begin}'",
        alive="use activation='leaky_relu', or kernel_initializer='he_normal'"
        if isinstance(function, (ReLU, Step))
        else f"scale the inputs, or use kernel_initializer='{initializer}'",
    )


def _user_level() -> int:
    """How far up from whoever warns the first line is that is not of this package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "ganglion":
        frame, level = frame.f_back, level + 1
    return level
