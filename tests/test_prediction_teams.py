"""Prediction by teams: rows or columns shared out between threads, the same bits either way."""

import subprocess
import sys
import threading
from itertools import count

import numpy as np
import pytest

import ganglion as gg
from bits import DTYPES, SETS, assert_same_bits
from ganglion import _ganglion_core as core

NETS = {
    "narrow": lambda: [gg.Dense(5, "tanh"), gg.Dense(3)],
    "wide": lambda: [gg.Dense(70, "relu"), gg.Dense(130, "elu"), gg.Dense(7)],
    "softmax": lambda: [gg.Dense(64, "sigmoid"), gg.Dense(33, "softmax")],
    "inner softmax": lambda: [gg.Dense(40, "softmax"), gg.Dense(96)],
    "one output": lambda: [gg.Dense(128, "leaky_relu"), gg.Dense(1, "sigmoid")],
    "transformed": lambda: [
        gg.Rescale(1 / 8, 0.25),
        gg.Dense(66),
        gg.BatchNormalization(),
        gg.ReLU(),
        gg.Dropout(0.5),
        gg.Dense(48, "tanh"),
        gg.LayerNormalization(),
        gg.Dense(9),
    ],
}
ROWS = [1, 2, 3, 7, 8, 15, 16, 17, 55, 56, 57, 127, 128, 129, 300]
TEAMS = [2, 3, 7]


def model_of(net, dtype="float32"):
    model = gg.Sequential(NETS[net](), seed=5, dtype=dtype)
    model.build((37,))
    return model


def numbers(rows, kind):
    x = np.random.default_rng(rows).integers(0, 200, (rows, 37))
    return x.astype(kind) if kind == "uint8" else ((x - 100) / 16).astype(kind)


@pytest.mark.parametrize("kernel_set", SETS)
@pytest.mark.parametrize("net", NETS)
def test_same_bits(net, kernel_set):
    for dtype in DTYPES:
        network = model_of(net, dtype).network
        for rows in ROWS:
            for kind in ("float32", "float64", "uint8"):
                x = numbers(rows, kind)
                alone = network.predict(core.Context("scalar" if rows < 9 else kernel_set, 1), x)
                for team in TEAMS:
                    assert_same_bits(network.predict(core.Context(kernel_set, team), x), alone)


@pytest.mark.parametrize("rows", [1, 17, 300])
@pytest.mark.parametrize("team", [1, *TEAMS])
def test_new_moving_variances_are_seen(rows, team):
    """Memory that calls leave to the next holds what a normalization made of the variances of its time."""
    model, x = model_of("transformed"), numbers(rows, "float32")
    trainer, y = gg.Trainer(model, "mse", threads=team), np.zeros((rows, 9), np.float32)
    found = []
    for factor in (1, 4):
        model.set_weights([w * factor if np.all(w == 1) else w for w in model.get_weights()])
        fresh = model_of("transformed")
        fresh.set_weights(model.get_weights())
        expected = fresh.predict(x, threads=1)
        assert_same_bits(model.predict(x, threads=team), expected)
        assert trainer.evaluate(x, y)["loss"] == pytest.approx(np.mean(expected**2), rel=1e-5)
        found.append(expected)
    assert not np.allclose(*found)


@pytest.mark.parametrize("rows", [1, 3, 40])
@pytest.mark.parametrize("team", [1, *TEAMS])
def test_what_is_not_finite_is_named(rows, team):
    model = model_of("wide")
    x = numbers(rows, "float32")
    x[rows - 1, 20] = np.nan
    with pytest.raises(ValueError, match=rf"x\[{rows - 1}, 20\] is nan"):
        model.predict(x, threads=team)
    assert np.isfinite(model.predict(numbers(rows, "float32"), threads=team)).all()


COUNT_THREADS = """
import sys
from pathlib import Path
import numpy as np
import ganglion as gg
tasks = lambda: len(list(Path("/proc/self/task").iterdir()))
model = gg.Sequential(gg.Dense(70, "relu", input_shape=(37,)), gg.Dense(130))
before = tasks()
for team in range(1, 6):
    model.predict(np.ones((int(sys.argv[1]), 37), np.float32), threads=team)
    print(tasks() - before, end=" ")
"""


@pytest.mark.parametrize("rows", [1, 40, 300])
def test_the_team_really_runs(rows):
    """In a process of its own, whose pool of threads grows with the team."""
    script = [sys.executable, "-c", COUNT_THREADS, str(rows)]
    result = subprocess.run(script, capture_output=True, text=True, check=True)
    assert [int(grown) for grown in result.stdout.split()] == [0, 1, 2, 3, 4]


def test_calls_at_the_same_time():
    """Each call has memory of its own."""
    model = model_of("wide")
    x = numbers(300, "float32")
    expected = model.predict(x, threads=1)
    wrong, number = [], count()

    def predict(team):
        for _ in range(60):
            rows = [1, 5, 40, 300][next(number) % 4]
            if not np.array_equal(model.predict(x[:rows], threads=team), expected[:rows]):
                wrong.append((team, rows))

    callers = [threading.Thread(target=predict, args=(team,)) for team in (1, 2, 3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong
