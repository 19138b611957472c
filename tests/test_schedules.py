"""Schedules as users give them: numbers, objects, functions, Keras's names; and rates that are set while training."""

import importlib.util
import math

import numpy as np
import pytest

import ganglion as gg
from ganglion import schedules
from small_models import LABELS, X, after_import, assert_same, classifier, weights_after

TABLE = {
    "cosine": gg.Cosine(0.05, 0.005, 9),
    "exponential": gg.Exponential(0.05, 3, 0.7),
    "linear": gg.LinearDecay(0.05, 0.005, 9),
    "one_cycle": gg.OneCycle(0.05, 12),
    "piecewise": gg.PiecewiseConstant([2, 6], [0.05, 0.02, 0.01]),
    "step": gg.StepDecay(0.05, 3, 0.7),
    "warm_up": gg.WarmUp(gg.Cosine(0.05, 0.005, 9), 4, 0.001),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_function_with_a_schedule_s_rates_gives_its_bits(name):
    """Sampled an epoch at a time, and step by step."""
    schedule = TABLE[name]
    expected = weights_after(classifier(), {"epochs": 4, "batch_size": 20}, optimizer=gg.SGD(schedule))
    calls = []

    def function(step):
        calls.append(step)
        return schedule(step)

    for fits in ([{"epochs": 4}], [{"epochs": 1}, {"epochs": 3, "verbose": 2}]):
        calls.clear()
        found = weights_after(classifier(), *({"batch_size": 20} | fit for fit in fits), optimizer=gg.SGD(function))
        assert_same(found, expected)
        assert calls == list(range(12))
    other = weights_after(
        classifier(), {"epochs": 4, "batch_size": 20}, optimizer=gg.SGD(lambda step: schedule(step + 1))
    )
    assert not np.array_equal(other[0], expected[0])


def test_a_function_serves_single_steps():
    rates = [0.1, 0.01, 0.05]
    trainers = [gg.Trainer(classifier(), "cross_entropy", gg.SGD(rate)) for rate in (rates.__getitem__, 0.1)]
    for step, rate in enumerate(rates):
        trainers[1].learning_rate = rate
        assert trainers[0].learning_rate == trainers[1].learning_rate == rate
        losses = [trainer.train_on_batch(X, LABELS) for trainer in trainers]
        assert losses[0] == losses[1], step
    assert_same(trainers[0].model.get_weights(), trainers[1].model.get_weights())


def test_verify_takes_a_function():
    assert gg.verify(classifier(), X, LABELS, optimizer=gg.Adam(lambda step: 0.1 / (1 + step))).ok


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (math.nan, ValueError, r"learning_rate\(3\) must be finite and >= 0; given nan"),
        (-0.1, ValueError, r"learning_rate\(3\) must be finite and >= 0; given -0.1"),
        ("0.1", TypeError, r"learning_rate\(3\) must be a number; given '0.1' of type str"),
    ],
)
def test_a_function_that_gives_no_rate(value, error, message):
    trainer = gg.Trainer(classifier(), "cross_entropy", gg.SGD(lambda step: 0.1 if step < 3 else value))
    before = trainer.model.get_weights()
    with pytest.raises(error, match=message):
        trainer.fit(X, LABELS, batch_size=10, verbose=0)
    assert_same(trainer.model.get_weights(), before)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gg.StepDecay(0.1, 0, 0.5), ValueError, "steps must be at least 1; given 0"),
        (lambda: gg.StepDecay(0.1, 5, 0), ValueError, "factor must be finite and > 0; given 0"),
        (lambda: gg.Exponential(0, 5, 0.5), ValueError, "initial must be finite and > 0; given 0"),
        (lambda: gg.Cosine(0.1, -1, 5), ValueError, "final must be finite and >= 0; given -1"),
        (lambda: gg.PiecewiseConstant([3, 1], [1, 1, 1]), ValueError, r"boundaries must ascend; given \[3, 1\]"),
        (lambda: gg.PiecewiseConstant([1], [1]), ValueError, "rates .* one more .*; given 1 boundaries and 1 rates"),
        (lambda: gg.PiecewiseConstant([1.5], [1, 1]), TypeError, "a boundary must be an integer; given 1.5"),
        (lambda: gg.PiecewiseConstant([1], [1, -1]), ValueError, "a rate must be finite and >= 0; given -1"),
        (lambda: gg.PiecewiseConstant(1, [1, 1]), TypeError, "boundaries must be a list; given 1"),
        (lambda: gg.WarmUp(0.1, 0), ValueError, "steps must be at least 1; given 0"),
        (lambda: gg.WarmUp(0.1, 5, -1), ValueError, "initial must be finite and >= 0; given -1"),
        (lambda: gg.WarmUp(lambda step: 0.1, 5), TypeError, "write the warm-up into the function of the step"),
        (lambda: gg.WarmUp(schedules.Sampled(lambda step: 0.1), 5), TypeError, "write the warm-up into the function"),
        (lambda: gg.WarmUp("cosine", 5), TypeError, "learning_rate must be a number; given 'cosine'"),
        (lambda: gg.OneCycle(0.1, 1), ValueError, "steps must be at least 2; given 1"),
        (lambda: gg.OneCycle(0.1, 10, rise=1), ValueError, "rise must be finite and > 0 and < 1; given 1"),
        (lambda: schedules.Sampled(0.1), TypeError, "function must be a function of the step; given 0.1"),
        (lambda: gg.SGD(gg.Cosine), TypeError, "learning_rate is the class Cosine itself; write Cosine\\(…\\)"),
        (lambda: gg.Cosine(0.1, 0, 5)(-1), ValueError, "step must be at least 0; given -1"),
        (
            lambda: schedules.PolynomialDecay(0.1, 5, power=2),
            ValueError,
            "power must be 1, a straight line; for 2 give",
        ),
    ],
)
def test_a_wrong_argument_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (gg.WarmUp(gg.Cosine(0.1, 0, 9), 3), "WarmUp(Cosine(0.1, 0.0, 9), 3)"),
        (gg.WarmUp(0.1, 3), "WarmUp(0.1, 3)"),
        (gg.OneCycle(0.1, 9, divisor=10), "OneCycle(0.1, 9, divisor=10.0)"),
        (gg.PiecewiseConstant([1], [1, 2]), "PiecewiseConstant((1,), (1.0, 2.0))"),
        (gg.StepDecay(1, 2, 3), "StepDecay(1.0, 2, 3.0)"),
    ],
)
def test_repr_can_be_run(schedule, text):
    assert repr(schedule) == text
    assert after_import(text) == schedule


# The rate that is set.


def test_the_rate_is_set_for_all_later_steps():
    trainer = gg.Trainer(classifier(), "cross_entropy", gg.SGD(gg.LinearDecay(0.1, 0.0, 10)))
    assert trainer.learning_rate == 0.1
    trainer.learning_rate = 0.05  # before there is anything to train
    assert trainer.learning_rate == 0.05
    trainer.fit(X, LABELS, batch_size=25, epochs=2, verbose=0)
    assert trainer.learning_rate == 0.05
    assert_same(
        trainer.model.get_weights(),
        weights_after(classifier(), {"batch_size": 25, "epochs": 2}, optimizer=gg.SGD(0.05)),
    )
    trainer.learning_rate = None
    assert trainer.learning_rate == pytest.approx(0.06)  # four steps on
    trainer.learning_rate = 0
    before = trainer.model.get_weights()
    trainer.fit(X, np.eye(3)[LABELS], verbose=0)  # targets of another kind
    assert trainer.learning_rate == 0
    assert_same(trainer.model.get_weights(), before)


def test_a_rate_that_was_set_before_the_weights_came_back_does_not():
    """What `fit` undoes is the state of training, the rate included: here nothing was to be undone but steps."""
    trainer = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.1))
    trainer.learning_rate = 0.02
    spoiled = X.copy()
    spoiled[-1, 0] = np.nan
    with pytest.raises(ValueError, match=r"x\[49, 0\] is nan"):
        trainer.fit(spoiled, LABELS, batch_size=10, shuffle=False, verbose=0)
    assert trainer.learning_rate == 0.02


@pytest.mark.parametrize(
    ("rate", "error", "message"),
    [
        (-1, ValueError, "learning_rate must be finite and >= 0; given -1"),
        (math.inf, ValueError, "learning_rate must be finite and >= 0; given inf"),
        ("fast", TypeError, "learning_rate must be a number; given 'fast'"),
    ],
)
def test_a_rate_that_is_none(rate, error, message):
    trainer = gg.Trainer(classifier(), "cross_entropy")
    with pytest.raises(error, match=message):
        trainer.learning_rate = rate
    assert trainer.learning_rate == 1e-3


def test_a_rate_is_not_set_in_the_middle_of_a_run(monkeypatch):
    from ganglion import trainer as module

    trainer = gg.Trainer(classifier(), "cross_entropy")
    seen = []

    def stop(*_):
        try:
            trainer.learning_rate = 0.1
        except RuntimeError as error:
            seen.append(str(error))
        return False

    monkeypatch.setattr(module.Progress, "stop", stop)
    trainer.fit(X, LABELS, epochs=1, batch_size=1, verbose=2)
    while not seen:
        trainer.fit(np.tile(X, (4000, 1)), np.tile(LABELS, 4000), batch_size=1, verbose=2)
    assert "the network is being trained already; wait until that run is done" in seen[0]


# Other libraries.

KERAS = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [3, 8], "values": [0.5, 0.25, 0.125]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "end_learning_rate": 0.01}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "alpha": 0.25}),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 7, "warmup_target": 0.1, "warmup_steps": 5}),
]
# What Keras 3 gives, in float32, at steps 0, 3, 4, 8 and 20.
KERAS_RATES = [
    [0.1, 0.074299715, 0.067295007, 0.045286182, 0.013801119],
    [0.1, 0.1, 0.1, 0.05, 0.025],
    [0.5, 0.5, 0.25, 0.25, 0.125],
    [0.1, 0.06142857, 0.04857143, 0.01, 0.01],
    [0.1, 0.070844531, 0.054155458, 0.025, 0.025],
    [0.01, 0.064, 0.082, 0.061126042, 0.0],
]


@pytest.mark.parametrize(
    ("name", "options", "rates"), [(*case, rates) for case, rates in zip(KERAS, KERAS_RATES, strict=True)]
)
def test_keras_s_names_mean_what_they_mean_there(name, options, rates):
    schedule = getattr(gg.optimizers.schedules, name)(**options)
    assert [schedule(step) for step in (0, 3, 4, 8, 20)] == pytest.approx(rates, rel=1e-6, abs=1e-9)
    assert [schedule(step + 1) for step in (0, 3, 4, 8, 20)] != pytest.approx(rates, rel=1e-6, abs=1e-9)


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras is not installed")
@pytest.mark.parametrize(("name", "options"), KERAS)
def test_keras_s_own(name, options):
    keras = pytest.importorskip("keras", exc_type=ImportError)
    ours, theirs = (getattr(where, name)(**options) for where in (schedules, keras.optimizers.schedules))
    steps = range(25)
    assert [ours(step) for step in steps] == pytest.approx([float(theirs(step)) for step in steps], rel=2e-6, abs=1e-8)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize(
    ("schedule", "name", "options"),
    [
        (gg.StepDecay(0.1, 4, 0.5), "StepLR", {"step_size": 4, "gamma": 0.5}),
        (gg.Exponential(0.1, 1, 0.9), "ExponentialLR", {"gamma": 0.9}),
        (gg.Cosine(0.1, 0.01, 12), "CosineAnnealingLR", {"T_max": 12, "eta_min": 0.01}),
        (gg.OneCycle(0.1, 13), "OneCycleLR", {"max_lr": 0.1, "total_steps": 13, "cycle_momentum": False}),
        (gg.WarmUp(0.1, 5, 0.02), "LinearLR", {"start_factor": 0.2, "total_iters": 5}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pytorch_s_own(schedule, name, options):
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    theirs = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    rates = []
    for _ in range(12):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    assert [schedule(step) for step in range(12)] == pytest.approx(rates, rel=1e-13)
