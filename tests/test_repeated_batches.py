"""Epochs of one batch, read in place: a run looks at x in its first step, and what it found holds for its others."""

import itertools

import numpy as np
import pytest

import ganglion as gg
from ganglion import _ganglion_core as core
from run_cases import PLANS, data, digest, network, training


@pytest.mark.parametrize("plan", PLANS)
def test_a_batch_that_comes_again_is_looked_at_in_each_run(plan):
    """Whole data sets as one batch: what a run's first step finds in x holds for its others, and for no other run."""
    for dtype, shuffle, team in itertools.product(["float32", "float64"], [False, True], [1, 2, 3]):
        x, y = data(300, dtype)
        options = {"batch_size": 300, "shuffle": shuffle, "plan": plan}
        together, apart = training(one := network()), training(other := network())
        together.run(core.Context(None, team), core.Feed(x, y), steps=3, **options)
        for _ in range(3):
            apart.run(core.Context(None, team), core.Feed(x, y), steps=1, **options)
        assert digest(one) == digest(other)
        x[210, 4] = np.inf
        with pytest.raises(ValueError, match=r"x\[210, 4\] is inf"):
            together.run(core.Context(None, team), core.Feed(x, y), steps=3, **options)
        assert together.step == 3
        assert digest(one) == digest(other)


@pytest.mark.parametrize("team", [1, 2])
def test_the_bound_of_a_batch_that_comes_again_knows_its_inputs(team):
    """x of 2⁵⁰ and an error that grows fourfold a step: the same steps are careful as in runs of one step each."""
    x = np.ascontiguousarray(data(8)[0][:, :3]) * np.float32(2.0**50)
    y = np.linspace(-1, 1, 8, dtype=np.float32)[:, None]
    careful, digests = [], []
    for runs in ([14], [1] * 14):
        net = network([3, 1])
        net.assign(0, np.zeros((3, 1), np.float32))
        run = training(net, loss="mse", optimizer="sgd", rate=2.0**-97, metrics=())
        options = {"batch_size": 8, "shuffle": False, "plan": "rows"}
        reports = [run.run(core.Context(None, team), core.Feed(x, None, y), steps=steps, **options) for steps in runs]
        careful.append(sum(report.careful_steps for report in reports))
        digests.append(digest(net))
    assert 0 < careful[0] == careful[1] < 14
    assert digests[0] == digests[1]


def test_a_loss_that_writes_to_the_batch_is_found_out():
    x, y = np.ones((8, 3), np.float32), np.zeros((8, 1), np.float32)
    calls = []

    def spoiling(y_pred, y_true):
        calls.append(len(y_pred))
        if len(calls) == 3:
            x[2, 1] = np.nan
        return ((y_pred - y_true) ** 2).sum(axis=1), 2 * (y_pred - y_true)

    model = gg.Sequential([gg.Dense(1, input_shape=(3,))], seed=1)
    trainer = gg.Trainer(model, spoiling, gg.SGD(0.01))
    with pytest.raises(ValueError, match=r"x\[2, 1\] is nan"):
        trainer.fit(x, y, batch_size=8, epochs=6, shuffle=False, verbose=0)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())
