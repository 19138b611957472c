"""The core's schedules: rates by hand, and what a schedule must not lack."""

import math
from itertools import pairwise

import pytest

from ganglion import _ganglion_core as core

LINE = {"initial": 0.25, "final": 0.0625, "steps": 8}
DECAY = {"initial": 0.25, "steps": 4, "factor": 0.5}
PIECES = {"boundaries": [2, 5], "rates": [0.5, 0.25, 0.125]}
STEPS = [
    ("constant", {"initial": 0.25}, {0: 0.25, 10**12: 0.25}),
    (
        "linear",
        LINE,
        {0: 0.25, 1: 0.25 - 0.1875 / 8, 4: 0.15625, 7: 0.0625 + 0.1875 / 8, 8: 0.0625, 9: 0.0625, 10**12: 0.0625},
    ),
    ("step", DECAY, {0: 0.25, 3: 0.25, 4: 0.125, 7: 0.125, 8: 0.0625, 40: 0.25 / 1024, 10**12: 0.0}),
    ("exponential", DECAY, {0: 0.25, 4: 0.125, 8: 0.0625, 40: 0.25 / 1024, 10**12: 0.0}),
    ("cosine", LINE, {0: 0.25, 4: 0.15625, 8: 0.0625, 9: 0.0625, 10**12: 0.0625}),
    ("piecewise", PIECES, {0: 0.5, 2: 0.5, 3: 0.25, 5: 0.25, 6: 0.125, 10**12: 0.125}),
    ("one_cycle", LINE | {"peak": 1.0, "peak_step": 2.0}, {0: 0.25, 1: 0.625, 2: 1.0, 7: 0.0625, 10**12: 0.0625}),
    ("one_cycle", LINE | {"peak": 1.0, "peak_step": 0.0}, {0: 1.0, 7: 0.0625}),
    ("one_cycle", LINE | {"steps": 2, "peak": 1.0, "peak_step": 1.0}, {0: 0.25, 1: 0.0625}),
    ("sampled", {"steps": 3, "rates": [0.5, 0.25]}, {3: 0.5, 4: 0.25}),
]


@pytest.mark.parametrize(("name", "options", "rates"), STEPS)
def test_rate(name, options, rates):
    schedule = core.Schedule(name, **options)
    assert {step: schedule.rate(step) for step in rates} == rates


def test_every_schedule_has_rates_by_hand():
    assert {name for name, *_ in STEPS} | {"warm_up"} == set(core.schedules())


@pytest.mark.parametrize("name", ["linear", "cosine", "piecewise"])
def test_a_warm_up_is_a_line_to_where_the_other_begins(name):
    then = core.Schedule(name, **(PIECES if name == "piecewise" else LINE))
    schedule = core.Schedule("warm_up", initial=0.0, steps=4, then=then)
    first = then.rate(0)
    assert [schedule.rate(step) for step in range(5)] == [0, first / 4, first / 2, 0.75 * first, first]
    assert [schedule.rate(step + 4) for step in range(20)] == [then.rate(step) for step in range(20)]


LINES = [(0.1, 0.0, 3), (1e-3, 1e-5, 7), (0.01, 0.3, 1000), (1e-3, 0.0, 10**15)]


@pytest.mark.parametrize(("initial", "final", "steps"), LINES)
@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_rates_begin_and_end_exactly_and_never_turn(name, initial, final, steps):
    sampled = sorted({0, 1, 2, steps // 3, steps // 2, steps - 1, steps, steps + 1, 10 * steps})
    schedule = core.Schedule(name, initial, final, steps)
    rates = [schedule.rate(step) for step in sampled]
    assert (rates[0], rates[-2], rates[-1]) == (initial, final, final)
    assert rates == sorted(rates, reverse=final < initial)
    shares = [min(step / steps, 1) for step in sampled]
    if name == "cosine":
        shares = [math.sin(math.pi / 2 * share) ** 2 for share in shares]
    expected = [initial + (final - initial) * share for share in shares]
    assert rates == pytest.approx(expected, rel=1e-15, abs=3e-16 * max(initial, final))


@pytest.mark.parametrize("factor", [0.9, 0.5, 0.1, 0.999999, 1e-300, 1.0, 1.5, 2.0])
def test_an_exponential_decay_is_the_power(factor):
    """The tolerance grows with the number of products in the power."""
    schedule = core.Schedule("exponential", initial=0.125, steps=1000, factor=factor)
    for step in (0, 1, 2, 499, 999, 1000, 1001, 2500, 100_001):
        expected = 0.125 * math.exp(step / 1000 * math.log(factor)) if factor != 1 else 0.125
        assert schedule.rate(step) == pytest.approx(
            expected, rel=1e-15 * (10 + 3 * step / 1000 * abs(math.log(factor)))
        )
        if step % 1000 == 0:
            assert schedule.rate(step) == core.Schedule("step", initial=0.125, steps=1000, factor=factor).rate(step)


@pytest.mark.parametrize("name", ["exponential", "cosine", "one_cycle"])
def test_a_step_changes_the_rate_a_little(name):
    """The tolerances above would not see the argument of a neighbouring step at their ends; here each step moves."""
    options = {"initial": 0.5, "final": 0.0, "steps": 1001, "factor": 0.5, "peak": 0.75, "peak_step": 300}
    schedule = core.Schedule(name, **options)
    rates = [schedule.rate(step) for step in range(1001)]
    turn = 300 if name == "one_cycle" else 0
    assert all(later < rate for rate, later in pairwise(rates[turn:]))
    assert all(later > rate for rate, later in pairwise(rates[: turn + 1]))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "polynomial",
            {},
            "unknown schedule 'polynomial'; known: 'constant', 'linear', 'step', 'exponential', 'cosine'",
        ),
        ("step", {"factor": 0.5}, "the schedule 'step' needs at least 1 step"),
        ("cosine", {"initial": 1}, "the schedule 'cosine' needs at least 1 step"),
        ("exponential", {"steps": 1, "factor": 0.0}, "the schedule 'exponential' needs a positive factor"),
        (
            "piecewise",
            {"boundaries": [1], "rates": [1.0]},
            "the schedule 'piecewise' needs one rate more than boundaries",
        ),
        ("warm_up", {"steps": 1}, "the schedule 'warm_up' needs another schedule to go on with"),
    ],
)
def test_a_schedule_that_can_not_be(name, options, message):
    with pytest.raises(ValueError, match=message):
        core.Schedule(name, **options)


@pytest.mark.parametrize("step", [2, 5])
def test_a_rate_that_was_not_sampled(step):
    message = f"the learning rate is known for 2 steps from step 3 on; a run of 1 from step {step} on needs its own"
    with pytest.raises(ValueError, match=message):
        core.Schedule("sampled", steps=3, rates=[0.5, 0.25]).rate(step)
