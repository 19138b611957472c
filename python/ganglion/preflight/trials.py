"""What only a trial on a copy tells: first loss, gradients, rates, and whether a batch can be learned by heart."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ganglion.errors import TrainingDivergedError
from ganglion.layers import Dense
from ganglion.losses import BinaryCrossEntropy, CrossEntropy
from ganglion.preflight.findings import Finding, Level, number
from ganglion.rows import checked
from ganglion.schedules import Sampled, Schedule
from ganglion.sequential import Sequential
from ganglion.transformations import Dropout

if TYPE_CHECKING:
    from ganglion.inputs import Array
    from ganglion.losses import Loss
    from ganglion.trainer import Trainer

__all__ = ["first_loss", "gradients", "learning_rates", "overfit", "trainer_of"]

BATCH, BATCHES = 32, 4  # of the trials of rates
RATES = [float(f"{first}e{power}") for power in range(-6, 1) for first in (1, 3)] + [10.0]
LEARNED_ROWS, LEARNED_SHARE = 8, 0.1  # by heart: so many, and this share of the loss is left
LEARNED_STEPS, LEARNED_BY_FEW_STEPS = 1000, 0.5  # and this share, where a large model cannot have so many steps
WORK_ON_RATES, WORK_BY_HEART = 2.5e9, 1e10  # operations, about, for a rate's trial and for learning by heart
STEPS_AT_ONCE = 20  # after which the loss of learning by heart is looked at


def affordable(model: Sequential, rows: int, work: float, least: int, most: int) -> int:
    """So many steps on so many rows as are about this much work, in operations."""
    parameters = sum(array.size for array in model.network.parameters())
    return int(min(most, max(least, work / (max(1, parameters) * (6 * rows + 40)))))


def trainer_of(trainer: Trainer, model: Sequential, rate: float, *, measured: bool = False) -> Trainer:
    """One like the user's for another model, which begins anew; with the rate 0 it changes no kernel or bias."""
    from ganglion.trainer import Trainer

    optimizer = replace(cast("Any", trainer.optimizer), learning_rate=rate or 1.0)  # no schedule, which may be anything
    metrics = trainer.metrics if measured else ()
    other = Trainer(model, trainer.loss, optimizer, metrics, threads=trainer.threads)
    if rate == 0:
        other.learning_rate = 0.0
    return other


def bare(model: Sequential, *, penalties: bool = False) -> Sequential:
    """A copy without dropouts, so that a loss of training is not a matter of chance, and without penalties."""
    layers = [layer for layer in model.layers if not isinstance(layer, Dropout)]
    if not penalties:
        layers = [each.changed(kernel_regularizer=None) if isinstance(each, Dense) else each for each in layers]
    copy = Sequential(layers or model.layers, seed=model.seed, dtype=model.dtype)
    copy.build((model.network.inputs,))
    copy.set_weights(model.get_weights())
    return copy


def losses(trainer: Trainer, x: Array, y: Array, passes: int, batch: int) -> list[float]:
    """Mean loss of each pass, up to the one in which training diverged."""
    with suppress(TrainingDivergedError):
        trainer.fit(x, y, epochs=passes, batch_size=batch, shuffle=False, verbose=0)
    history = trainer.history
    return [] if history is None else list(history.history["loss"])


# The first loss


def first_loss(trainer: Trainer, x: Array, y: Array) -> list[Finding]:
    """With initial weights: of cross-entropies ln(classes), of other losses not far above a constant guess's."""
    model = Sequential(trainer.model.layers, seed=trainer.model.seed, dtype=trainer.model.dtype)
    model.build((x.shape[1],))
    seen = losses(trainer_of(trainer, bare(model), 0.0), x, y, 1, len(x))
    if not seen:
        return [Finding("first loss", "warning", "it is not a finite number", "scale the inputs")]
    found, known = seen[0], knowing_nothing(trainer.loss, y, model)
    penalized = losses(trainer_of(trainer, bare(model, penalties=True), 0.0), x, y, 1, len(x))
    if penalized and penalized[0] > 2 * found + 1:
        said = f"{number(found)} with initial weights, and {number(penalized[0] - found)} of penalties for the weights"
        return [Finding("first loss", "warning", said, "give the layers a smaller kernel_regularizer, like L2(1e-4)")]
    remedy = "scale the inputs, and leave the initializers at their defaults"
    if isinstance(trainer.loss, (CrossEntropy, BinaryCrossEntropy)):
        classes = model.network.outputs if isinstance(trainer.loss, CrossEntropy) else 2
        known = math.log(classes)
        expected = f"ln {classes} = {number(known)} is that of knowing nothing"
        if found > known + 1:
            said = f"{number(found)} with initial weights, where {expected}: the model begins sure of wrong answers"
            return [Finding("first loss", "warning", said, remedy)]
        if found < known / 2:
            said = f"{number(found)} with initial weights, where {expected}: the model begins with right answers"
            return [Finding("first loss", "note", said, "look whether y is part of x, or nearly all of y is one class")]
        return [Finding("first loss", "ok", f"{number(found)} with initial weights; {expected}")]
    if not known:
        return [Finding("first loss", "ok", f"{number(found)} with initial weights")]
    said = f"{number(found)} with initial weights; always saying the mean of y has {number(known)}"
    if found > 10 * known:
        remedy = "standardize y, and x if it is not: (y - y.mean(axis=0)) / y.std(axis=0)"
        return [Finding("first loss", "warning", said, remedy)]
    return [Finding("first loss", "ok", said)]


def knowing_nothing(loss: Loss, y: Array, model: Sequential) -> float | None:
    """The loss of equal chances or, of values, of always saying their mean; None where nobody knows."""
    from ganglion.trainer import Trainer

    if isinstance(loss, (CrossEntropy, BinaryCrossEntropy)):
        return math.log(model.network.outputs if isinstance(loss, CrossEntropy) else 2)
    if y.ndim != 2:
        return None
    constant = Sequential(Dense(y.shape[1], input_shape=(1,)), dtype=model.dtype)
    constant.set_weights([np.zeros((1, y.shape[1])), y.astype(np.float64).mean(axis=0)])
    return Trainer(constant, loss).evaluate(np.zeros((len(y), 1)), y)["loss"]


# Gradients


def gradients(trainer: Trainer, model: Sequential, x: Array, y: Array) -> list[Finding]:
    """Root mean square of each kernel's gradient, the first ones beside the largest."""
    copy = bare(model)
    other = trainer_of(trainer, copy, 0.0)
    rows = checked(copy, trainer.loss, x, y)
    try:
        found = other._training(rows).gradients(other._context(), rows.feed())
    except ArithmeticError as error:
        return [Finding("gradients", "warning", str(error))]
    names = [name for name, yes in zip(copy.arrays(), copy.network.trainable, strict=True) if yes]
    sizes = {
        name.removesuffix(".kernel"): float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))
        for name, array in zip(names, found.arrays, strict=True)
        if name.endswith(".kernel")
    }
    if not sizes:
        return []
    largest = max(sizes, key=lambda name: sizes[name])
    nothing = [name for name, size in sizes.items() if size == 0]
    first = next(iter(sizes))
    remedy = (
        "use activation='relu' with kernel_initializer='he_normal', fewer layers, or BatchNormalization between them"
    )
    if nothing:
        said = f"that of {nothing[0]!r} is 0: nothing that its weights do reaches the loss"
        return [Finding("gradients", "warning", said, "begin with other weights, and scale the inputs")]
    said = f"{sizes[first]:.1e} in {first!r}, {sizes[largest]:.1e} in {largest!r} (root mean squares)"
    if len(sizes) == 1:
        return [Finding("gradients", "ok", f"{sizes[first]:.1e} in {first!r} (root mean square)")]
    if sizes[first] < sizes[largest] / 1000:
        return [Finding("gradients", "warning", f"{said}: they vanish on the way to the first layer", remedy)]
    if largest == first and sizes[first] > 1000 * min(sizes.values()):
        return [Finding("gradients", "warning", f"{said}: they grow on the way to the first layer", remedy)]
    return [Finding("gradients", "ok", said)]


# Learning rates


@dataclass(frozen=True)
class Rates:
    """What the trials of rates gave: the finding, the good range, and the rate that lowered the loss most."""

    finding: Finding
    range: tuple[float, float] | None
    best: float | None


def learning_rates(trainer: Trainer, model: Sequential, x: Array, y: Array) -> Rates:
    """Each rate's mean loss in some passes over the same batches, from the same weights: a wild way counts, too."""
    copy = bare(model, penalties=True)
    start = copy.get_weights()
    steps = affordable(copy, BATCH, WORK_ON_RATES, 8, 100)
    grid = RATES if steps > 8 else RATES[::2]
    batches = BATCHES if steps > 8 else 1
    x, y = x[: batches * BATCH], y[: batches * BATCH]
    passes = math.ceil(steps / math.ceil(len(x) / BATCH))
    steps = passes * math.ceil(len(x) / BATCH)

    def mean_loss(rate: float) -> float:
        copy.set_weights(start)
        seen = losses(trainer_of(trainer, copy, rate), x, y, passes, BATCH)
        return sum(seen) / passes if len(seen) == passes else math.inf

    before = mean_loss(0.0)
    found: dict[float, float] = {}
    for rate in reversed(grid):
        found[rate] = mean_loss(rate)
        if 0 < before - found[rate] < (before - min(found.values())) / 100:
            break  # the smaller ones do less
    best = min(found, key=lambda rate: found[rate])
    if before - found[best] < before / 100:
        said = f"none from 1e-6 to 10 lowers the loss, {number(before)}, in {steps} steps on {len(x)} rows"
        if before < 0.01:
            return Rates(Finding("learning rate", "ok", f"{said}: there is hardly any left"), None, best)
        return Rates(Finding("learning rate", "warning", said, "see to the other findings first"), None, None)
    good = [rate for rate in found if _suits(rate, best, before - found[rate], before - found[best])]
    bounds = (min(good), max(good))
    own, what = _own_rate(trainer)
    suitable = f"{_from_to(bounds)} {type(trainer.optimizer).__name__}"
    if own is None:
        finding = Finding("learning rate", "ok", f"{suitable}; a function's rates are not looked at")
        return Rates(finding, bounds, best)
    reached = mean_loss(own)
    own_mean = f"is {number(reached)}" if math.isfinite(reached) else "is beyond all numbers"
    said = f"from {number(before)} on, the mean loss of {steps} steps at {own:g}, {what}, {own_mean}"
    said += f"; {suitable}" if own == best else f", at {best:g} it is {number(found[best])}; {suitable}"
    finding = Finding("learning rate", "ok", said)
    if not _suits(own, best, before - reached, before - found[best]):
        finding = _unsuitable(own, best, bounds, reached > 1.5 * before, said)
    return Rates(finding, bounds, best)


def _from_to(bounds: tuple[float, float]) -> str:
    low, high = bounds
    return f"{low:g} to {high:g} suit" if low < high else f"{low:g} suits"


def _suits(rate: float, best: float, fall: float, of_best: float) -> bool:
    """Below the best one a tenth of its progress will do, as progress goes with the rate; above it, half of it."""
    return fall >= of_best / (10 if rate <= best else 2)


def _unsuitable(own: float, best: float, bounds: tuple[float, float], grows: bool, said: str) -> Finding:
    if own > best:
        level: Level
        level, how = ("warning", "too large") if grows else ("note", "large")
        return Finding("learning rate", level, f"{how}: {said}", f"lower it to about {best / 3:.1g}")
    remedy = f"raise it to about {best / 3:.1g}, or train for long"
    if own >= bounds[0] / 10:
        return Finding("learning rate", "note", f"small: {said}", remedy)
    return Finding("learning rate", "warning", f"too small: {said}", remedy)


def _own_rate(trainer: Trainer) -> tuple[float | None, str]:
    """The trainer's rate, of a schedule the largest; None where a function of the user's would have to be called."""
    given = trainer._given_rate if trainer._latest is None else trainer._latest.given_rate
    schedule = trainer.optimizer.learning_rate
    if given is None and isinstance(schedule, Sampled):
        return None, ""
    if given is None and isinstance(schedule, Schedule):
        own = max(schedule(step) for step in [0, *range(1, 100), *(int(1.1**power) for power in range(48, 150))])
        return own, "the schedule's largest"
    return trainer.learning_rate, "the trainer's"


# Learning by heart


def overfit(trainer: Trainer, model: Sequential, x: Array, y: Array, best: float | None) -> list[Finding]:
    """Whether a few rows can be learned by heart, at the rate that lowered the loss most or a smaller one."""
    if best is None:
        return []
    rows = _some_unlike(x, y, min(LEARNED_ROWS, _capacity(model, x.shape[1])))
    x, y = x[rows], y[rows]
    copy = bare(model)
    start = copy.get_weights()
    first = losses(trainer_of(trainer, copy, 0.0), x, y, 1, len(x))[0]
    least = _least(trainer.loss, y)
    usual = knowing_nothing(trainer.loss, y, copy) or first
    most = affordable(copy, len(x), WORK_BY_HEART, STEPS_AT_ONCE, LEARNED_STEPS)
    share = LEARNED_SHARE if most == LEARNED_STEPS else LEARNED_BY_FEW_STEPS
    wanted = least + share * ((usual if usual > least else first) - least)
    seen, brings = first, f"a copy brings the loss of {len(x)} rows from {number(first)}"
    # Where nearly all rows are of one class, a rate may be the best that does no more than say so at once.
    for rate in (best, best / 10, best / 100):
        copy.set_weights(start)
        learner = trainer_of(trainer, copy, rate)
        for steps in range(STEPS_AT_ONCE, most + 1, STEPS_AT_ONCE):
            found = losses(learner, x, y, STEPS_AT_ONCE, len(x))
            seen = min([seen, *found])
            if seen <= wanted:
                return [Finding("overfits a batch", "ok", f"{brings} to {number(seen)} in {steps} steps")]
            if len(found) < STEPS_AT_ONCE:
                break
    said = f"{brings} to {number(seen)} in {most} steps, not near to 0"
    remedy = "a model that cannot learn a few rows by heart will not learn all: scale the inputs, give it more units, "
    remedy += "or another activation"
    return [Finding("overfits a batch", "warning", said, remedy)]


def _capacity(model: Sequential, features: int) -> int:
    """How many rows a model without hidden layers can be asked for; others can learn more than are asked of them."""
    dense = sum(isinstance(layer, Dense) for layer in model.layers)
    return LEARNED_ROWS if dense > 1 else features + 1


def _some_unlike(x: Array, y: Array, count: int) -> Array:
    """Indices of rows that differ, from the targets' kinds in turn; of one kind from all parts of the data."""
    _, different = np.unique(x, axis=0, return_index=True)
    different = np.random.default_rng(0).permutation(np.sort(different))  # neighbours are hard to tell apart
    _, kinds = np.unique(y[different], axis=0, return_inverse=True)
    order: dict[int, int] = {}
    turns = []
    for kind in kinds.reshape(-1).tolist():
        turns.append(order.get(kind, 0))
        order[kind] = turns[-1] + 1
    chosen: Array = different[np.argsort(turns, kind="stable")[:count]]
    return chosen


def _least(loss: Loss, y: Array) -> float:
    """The loss of the targets themselves, which no model can go below: more than 0 where they are distributions."""
    if y.ndim == 1 or not isinstance(loss, (CrossEntropy, BinaryCrossEntropy)):
        return 0.0
    exact = y.astype(np.float64)

    def surprise(p: Array) -> Array:
        result: Array = -p * np.log(np.where(p > 0, p, 1))
        return result

    if isinstance(loss, CrossEntropy):
        return float(surprise(exact).sum(axis=1).mean())
    return float((surprise(exact) + surprise(1 - exact)).mean())
