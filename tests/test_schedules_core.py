"""The core's schedules: rates by hand."""

import pytest

from bits import operations

STEPS = [
    ("constant", 0, 0.25),
    ("constant", 10**12, 0.25),
    ("linear", 0, 0.25),
    ("linear", 1, 0.25 - 0.1875 / 8),
    ("linear", 4, 0.15625),
    ("linear", 7, 0.0625 + 0.1875 / 8),
    ("linear", 8, 0.0625),
    ("linear", 9, 0.0625),
    ("linear", 10**12, 0.0625),
]


@pytest.mark.parametrize(("name", "step", "rate"), STEPS)
def test_rate(name, step, rate):
    assert operations.schedule_rate(name, initial=0.25, final=0.0625, steps=8, step=step) == rate


LINES = [(0.1, 0.0, 3), (1e-3, 1e-5, 7), (0.01, 0.3, 1000), (1e-3, 0.0, 10**15)]


@pytest.mark.parametrize(("initial", "final", "steps"), LINES)
def test_linear_rates_begin_and_end_exactly_and_never_turn(initial, final, steps):
    sampled = sorted({0, 1, 2, steps // 3, steps // 2, steps - 1, steps, steps + 1, 10 * steps})
    line = {"initial": initial, "final": final, "steps": steps}
    rates = [operations.schedule_rate("linear", **line, step=step) for step in sampled]
    assert (rates[0], rates[-2], rates[-1]) == (initial, final, final)
    assert rates == sorted(rates, reverse=final < initial)
    expected = [initial + (final - initial) * min(step / steps, 1) for step in sampled]
    assert rates == pytest.approx(expected, rel=1e-15)


def test_unknown_schedule():
    with pytest.raises(ValueError, match="unknown schedule 'cosine'; known: 'constant', 'linear'"):
        operations.schedule_rate("cosine", initial=1, final=0, steps=1, step=0)
