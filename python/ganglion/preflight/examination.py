"""The order of a check: data first, then the model, then trials on copies, each if what is before lets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganglion import inputs
from ganglion.preflight import data, network, trials
from ganglion.preflight.findings import Check, Finding
from ganglion.sequential import Sequential

if TYPE_CHECKING:
    from ganglion.inputs import Array, Targets
    from ganglion.trainer import Trainer

__all__ = ["examine"]


def examine(trainer: Trainer, x: object, y: object, *, verbose: bool) -> Check:
    """See `ganglion.preflight.check`."""
    verbose = inputs.flag("verbose", verbose)
    findings: list[Finding] = []
    with np.errstate(all="ignore"):  # what is too large is said in words
        rates, subject = _examined(trainer, x, y, findings)
    check = Check(tuple(findings), rates, subject)
    if verbose:
        print(check)
    return check


def _examined(
    trainer: Trainer, x: object, y: object, findings: list[Finding]
) -> tuple[tuple[float, float] | None, str]:
    rates: tuple[float, float] | None = None
    array, targets = _read(trainer, x, y, findings)
    subject = repr(trainer.loss)
    if array is not None:
        subject = f"{_counted(len(array), 'row')} of {_counted(array.shape[1], 'feature')}, {subject}"
    if array is not None and targets is not None:
        outputs = trainer.model.architecture.sizes(array.shape[1])[-1]
        findings += data.look_at_targets(trainer.loss, array, targets, outputs, y)
    if array is not None:
        findings += network.look_at_layers(copied(trainer.model, array.shape[1]))
    if array is not None and targets is not None and not _impossible(findings):
        findings += _last_layer(trainer, array, targets)
        if not _impossible(findings):
            rates = _tried(trainer, array, targets, findings)
    return rates, subject


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _read(trainer: Trainer, x: object, y: object, findings: list[Finding]) -> tuple[Array | None, Targets | None]:
    """Features and targets as the core takes them, None where it does not."""
    model = trainer.model
    if not model.layers:
        findings.append(Finding("layers", "error", "a model needs at least one layer: add(Dense(10)) appends one"))
        return None, None
    try:
        array = data.read_inputs(model, x, y)
    except (TypeError, ValueError) as error:
        findings.append(Finding("inputs", "error", str(error)))
        return None, None
    findings += data.look_at_inputs(model, array)
    try:
        return array, data.read_targets(model, trainer.loss, array, y)
    except (TypeError, ValueError) as error:
        findings.append(Finding("targets", "error", str(error)))
        return array, None


def copied(model: Sequential, features: int) -> Sequential:
    """The model as it is, or as it will begin, with arrays of its own."""
    copy = Sequential(model.layers, seed=model.seed, dtype=model.dtype)
    copy.build((features,))
    if model.input_shape is not None:
        with model.exclusively("check", between_steps=True):
            copy.set_weights(model.get_weights())
    return copy


def _impossible(findings: list[Finding]) -> bool:
    return any(finding.level == "error" for finding in findings)


def _last_layer(trainer: Trainer, x: Array, targets: Targets) -> list[Finding]:
    copy = copied(trainer.model, x.shape[1])
    try:
        some = data.sample(len(x), 32)
        trials.trainer_of(trainer, copy, 0.0, measured=True).fit(x[some], targets.array[some], verbose=0)
    except Exception as error:  # of the core, which knows what does not go together, or of a user's own loss or layer
        said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        return [Finding("last layer", "error", said)]
    findings = network.look_at_last_layer(copy, trainer.loss, targets, copy.network.outputs)
    return [*findings, *network.look_at_metrics(trainer.metrics, trainer.loss, targets)]


def _tried(trainer: Trainer, x: Array, targets: Targets, findings: list[Finding]) -> tuple[float, float] | None:
    try:
        return _trials(trainer, x, targets, findings)
    except Exception as error:
        if not trainer._custom:
            raise
        findings.append(Finding("trials", "error", f"{type(error).__name__}: {error}"))  # of a user's own loss or layer
        return None


def _trials(trainer: Trainer, x: Array, targets: Targets, findings: list[Finding]) -> tuple[float, float] | None:
    """Those that train, on rows from all parts of the data."""
    some = data.sample(len(x), 256)
    few = data.sample(len(x), trials.BATCHES * trials.BATCH)
    copy = copied(trainer.model, x.shape[1])
    findings += trials.first_loss(trainer, x[some], targets.array[some])
    findings += trials.gradients(trainer, copy, x[some], targets.array[some])
    found = trials.learning_rates(trainer, copy, x[few], targets.array[few])
    findings.append(found.finding)
    findings += trials.overfit(trainer, copy, x[some], targets.array[some], found.best)
    return found.range
