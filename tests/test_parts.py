"""An epoch that comes in parts is the epoch that comes as a whole."""

import math

import numpy as np
import pytest

from ganglion import _ganglion_core as core
from run_cases import PLANS, data, digest, network, training


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("plan", PLANS)
def test_parts_of_an_epoch_are_its_steps(plan, threads):
    x, y = data(300)
    context = core.Context(None, threads)
    whole, parts = network(), network()
    one = training(whole)
    epochs = one.run(context, core.Feed(x, y), batch_size=128, steps=6, shuffle=False, plan=plan).epochs
    other = training(parts)
    for epoch in range(2):
        for i, first in enumerate(range(0, 300, 128)):
            rows = slice(first, first + 128)
            feed = core.Feed(x[rows], y[rows])
            report = other.run(context, feed, batch_size=128, steps=1, shuffle=False, plan=plan, part=True)
            assert (other.epoch, other.position, len(report.epochs)) == (epoch, i + 1, 0)
        assert report.running == other.end_epoch() == tuple(epochs[epoch])
        assert (other.epoch, other.position) == (epoch + 1, 0)
    assert digest(parts) == digest(whole)


def test_a_part_is_one_batch_in_its_own_order():
    x, y = data(300)
    run = training(network())
    for options in ({"batch_size": 299, "steps": 1}, {"batch_size": 300, "steps": 2}):
        with pytest.raises(ValueError, match="a part of an epoch is one batch, in its own order"):
            run.run(core.Context(), core.Feed(x, y), shuffle=False, part=True, **options)


def test_an_epoch_ends_once():
    run = training(network())
    with pytest.raises(ValueError, match="no step of this epoch was made yet"):
        run.end_epoch()


def test_what_only_the_end_tells_is_not_asked_for_at_every_step():
    x, _ = data(300)
    y = (x[:, :1] > 0).astype(np.float32)
    run = training(network([x.shape[1], 9, 1]), loss="mse", metrics=["mae", "auc"])
    means = []
    for first in range(0, 300, 100):
        feed = core.Feed(x[first : first + 100], None, y[first : first + 100])
        report = run.run(core.Context(), feed, batch_size=100, steps=1, shuffle=False, part=True)
        means.append(report.running)
    assert all(math.isnan(area) and error > 0 for _, error, area in means)
    loss, error, area = run.end_epoch()
    assert (loss, error) == means[-1][:2]
    assert 0 < area < 1
