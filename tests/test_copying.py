"""Rows copied into the next batch beside products: those that are gathered elsewhere, and only where it is worth it."""

import itertools

import numpy as np
import pytest

from bits import DTYPES
from ganglion import _ganglion_core as core
from run_cases import SETS, digest, network, training

OTHER = {"float32": "float64", "float64": "float32"}  # which is converted, and so gathered
COPYING = ("avx512",)  # as they look at x beside the first product
BATCH, STEPS = 140, 19  # more than one leaf and two epochs
LINE = {"float32": 16, "float64": 8}  # elements
# Columns of x, optimizer, activation and plan; 50 units (25 of float64) follow. Whole lines or not, zeros of dz left
# out, gradients stored.
CASES = {
    "whole lines": (272, "sgd", "tanh", "rows"),
    "less than a line over": (299, "adam", "sigmoid", "rows"),
    "zeros": (256, "momentum", "relu", "rows"),
    "stored": (290, "adam", "tanh", "stored"),
}


def rows_of(columns, dtype, rows=1030):
    generator = np.random.default_rng(columns)
    return generator.random((rows, columns), dtype=np.float32).astype(dtype), generator.integers(0, 5, rows, np.int32)


def fit(case, dtype, kernel_set, team, x, y, *, batch=BATCH, shuffle=True, steps=STEPS):
    _, optimizer, activation, plan = CASES[case]
    net = network([x.shape[1], 50 if dtype == "float32" else 25, 7], activation, dtype)
    run = training(net, optimizer=optimizer)
    options = {"batch_size": batch, "steps": steps, "shuffle": shuffle, "plan": plan}
    try:
        report = run.run(core.Context(kernel_set, team), core.Feed(x, y), **options)
    except ValueError as error:
        return str(error), run.step, digest(net)
    assert (report.kernel_set, report.team, report.steps) == (kernel_set, team, steps)
    assert report.copied_lines == 0 or case != "zeros" or report.sparse_products > 0
    return report.copied_lines, run.step, digest(net)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_what_is_copied_is_what_is_gathered(case, dtype):
    columns = CASES[case][0]
    x, y = rows_of(columns, dtype)
    gathered, *expected = fit(case, dtype, SETS[0], 1, x.astype(OTHER[dtype]), y)
    assert gathered == 0
    apart = np.full((len(x), columns + 5), np.nan, dtype)
    apart[:, 3 : columns + 3] = x
    for kernel_set, team, given in itertools.product(SETS, (1, 2, 3), (x, apart[:, 3 : columns + 3])):
        lines, *got = fit(case, dtype, kernel_set, team, given, y)
        assert got == expected
        most = (2 * (len(x) - BATCH) + 2 * BATCH) * (columns // LINE[dtype])  # not an epoch's first batch
        if kernel_set not in COPYING:
            assert lines == 0
        else:  # another thread may take over the units beside which a thread copies
            assert (most / 2 if team == 1 else 0) < lines <= most


@pytest.mark.parametrize("batch", [1, 2, 7, 64, 500, 1029])
def test_batches_of_every_size(batch):
    x, y = rows_of(272, "float32")
    for team in (1, 2, 3):
        expected = fit("whole lines", "float32", SETS[0], team, x.astype("float64"), y, batch=batch)[1:]
        for kernel_set in SETS:
            assert fit("whole lines", "float32", kernel_set, team, x, y, batch=batch)[1:] == expected


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [1030, 984])  # of the last batch 50 rows, or 4, which are read in place
def test_rows_in_order_that_share_sets_of_the_cache(rows, dtype):
    x, y = rows_of(512 if dtype == "float32" else 256, dtype, rows)
    _, *expected = fit("whole lines", dtype, SETS[0], 1, x.astype(OTHER[dtype]), y, shuffle=False)
    for kernel_set, team in itertools.product(SETS, (1, 2, 3)):
        lines, *got = fit("whole lines", dtype, kernel_set, team, x, y, shuffle=False)
        assert got == expected
        assert (lines > 0) == (kernel_set in COPYING)


@pytest.mark.skipif(not set(COPYING) & set(SETS), reason="this processor has no set that copies")
def test_what_is_not_copied():
    def dense(*units):
        return [core.Dense(f"dense_{n}", n, True, "tanh", 0.01, "glorot_uniform", "zeros") for n in units]

    def copied(x, units=50, plan="rows", shuffle=True, net=None):
        run = training(net or network([x.shape[1], units, 7], dtype="float32"))
        options = {"batch_size": BATCH, "steps": 9, "shuffle": shuffle, "plan": plan}
        return run.run(core.Context("avx512", 2), core.Feed(x, y[: len(x)]), **options).copied_lines

    x, y = rows_of(272, "float32", 2000)
    assert copied(x) > 0
    rescaled = core.Network(272, [core.Rescale("rescale", 0.5, 1.0), *dense(50, 7)], "float32", 3)
    assert copied(x, net=rescaled) == 0
    assert copied(x, shuffle=False) == 0  # read in place
    assert copied(x.astype("float64")) == copied((x * 255).astype("uint8")) == 0  # converted
    assert copied(x[:900]) == 0  # near the cores
    assert (
        copied(x, plan="layers") == copied(x, units=31) == copied(x, units=64) == copied(x[:, :255].copy()) == 0
    )  # not looked at beside


@pytest.mark.parametrize("place", [(3, 0), (500, 298), (1029, 100)])
@pytest.mark.parametrize("case", ["less than a line over", "zeros"])
def test_a_feature_that_is_not_finite_is_found_before_its_step(case, place):
    x, y = rows_of(CASES[case][0], "float32")
    x[place[0], min(place[1], x.shape[1] - 1)] = np.nan
    expected = fit(case, "float32", SETS[0], 1, x.astype("float64"), y)
    assert "is nan" in expected[0] and expected[1] < STEPS
    for kernel_set, team in itertools.product(SETS, (1, 2, 3)):
        assert fit(case, "float32", kernel_set, team, x, y) == expected
