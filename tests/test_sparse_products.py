"""Products that leave out the zeros of an operand: the bits of those that do not, alone and inside networks."""

import subprocess
import sys
from itertools import product

import numpy as np
import pytest

import ganglion as gg
from bits import DTYPES, FAST_SETS, SETS, assert_same_bits, numbers, operations, special_values, strided
from ganglion import _ganglion_core as core
from run_cases import TEAMS, data, digest, network, training

# A word has a bit for each of 64 k, a strip up to 8 vectors of up to 16 columns: both sides of their multiples.
SHAPES = [
    *product((1, 2, 5), (1, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 144, 257, 300), (1, 3, 16, 17, 63, 64, 65)),
    *product((1, 13, 128), (4, 50, 128, 200), (127, 128, 129, 200)),
]
DENSITIES = (0.0, 0.02, 0.2, 0.5, 0.9, 1.0)


def sparse_factors(shape, dtype, density, seed=0):
    """A (M, K), whose zeros have either sign, and B (K, N)."""
    m, n, k = shape
    a, b = numbers((m, k), dtype, seed), numbers((k, n), dtype, seed + 1)
    generator = np.random.default_rng([seed, *shape])
    zeros = np.where(generator.random(a.shape) < 0.5, dtype(0), dtype(-0.0))
    return np.where(generator.random(a.shape) < density, a, zeros).astype(dtype), b


def test_there_are_enough_shapes():
    assert len(set(SHAPES)) >= 300


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("set_", FAST_SETS)
def test_same_bits(set_, dtype):
    for index, shape in enumerate(SHAPES):
        a, b = sparse_factors(shape, dtype, DENSITIES[index % len(DENSITIES)])
        a, b = strided(a, 1 + index % 2, 1, index % 5), strided(b, *((1, 1, 0), (1, 1, 1), (2, 1, 6))[index % 3])
        assert_same_bits(operations.matmul(set_, a, b, sparse=True), operations.matmul("scalar", a, b))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("set_", FAST_SETS)
def test_only_the_columns_asked_for_are_written(set_, dtype):
    for shape in SHAPES[::7]:
        a, b = sparse_factors(shape, dtype, 0.4)
        memory = np.full((2 * shape[0] + 1, shape[1] + 40), 7, dtype)
        out = memory[1::2, 20 : 20 + shape[1]]
        out[:] = start = numbers(out.shape, dtype, 2)
        accumulated = start.copy()
        operations.matmul("scalar", a, b, out=accumulated, accumulate=True)
        operations.matmul(set_, a, b, out=out, accumulate=True, sparse=True)
        assert_same_bits(out.copy(), accumulated)
        operations.matmul(set_, a, b, out=out, sparse=True)
        assert_same_bits(out.copy(), operations.matmul("scalar", a, b))
        out[:] = 7
        assert (memory == 7).all()


@pytest.mark.parametrize("set_", SETS)
def test_special_values_of_the_left_operand_are_kept(set_):
    for dtype in (np.float32, np.float64):
        special = special_values(dtype)
        generator = np.random.default_rng(0)
        a, b = generator.choice(special, (9, 70)), numbers((70, 130), dtype)
        result = operations.matmul(set_, a, b, sparse=True)
        assert_same_bits(result, operations.matmul("scalar", a, b))
        assert np.isnan(result).any()


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("set_", SETS)
def test_no_product_is_minus_zero(set_, sparse):
    """Else it could be seen whether a zero was left out: -0 + 0 · b is +0, and -0 without that term."""
    tiny = np.finfo(np.float32).smallest_subnormal
    a, b = np.zeros((3, 5), np.float32), np.full((5, 40), -0.25, np.float32)
    a[:, 1] = tiny  # its product underflows to -0, and terms of +0 · -0.25 = -0 follow
    result = operations.matmul(set_, a, b, sparse=sparse)
    assert not np.signbit(result).any()
    with np.errstate(under="ignore"):
        assert np.signbit(tiny * b[1]).all()  # so it would be without the + 0 at the end


@pytest.mark.parametrize("set_", SETS)
def test_nonzeros(set_):
    for dtype, columns in product((np.float32, np.float64), (1, 7, 16, 17, 33, 130)):
        x = np.random.default_rng(columns).choice(special_values(dtype), (5, columns))
        for misalign in (0, 1, 3):
            assert operations.nonzeros(set_, x, misalign) == np.count_nonzero(x)


def sparse_data(rows, dtype, widths, density):
    x, y = data(rows, dtype, widths)
    return np.where(np.abs(x) < density, x, dtype(0)), y


EMULATED = ("scalar", "sse2")  # fused multiply-adds without the instruction: slow, so not every team and plan

# (density of x, activation): whose zeros are left out.
KINDS = {
    "of x": (0.15, "tanh"),
    "of dz": (1.0, "relu"),
    "of both": (0.15, "relu"),
    "none": (1.0, "tanh"),
}


def train(kind, kernel_set, team, plan, rows, dtype, batch=None, clip_norm=0.0, **more):
    density, activation = KINDS[kind]
    widths = [70, 130, 67, 5]
    net = network(widths, activation, np.dtype(dtype).name)
    optimizer = core.Optimizer("adam", **more)
    optimizer.clip_norm = clip_norm
    run = core.Training(net, core.Loss("cross_entropy", 0.0), "labels", optimizer, core.Schedule("constant", 1e-3), [])
    report = run.run(
        core.Context(kernel_set, team),
        core.Feed(*sparse_data(rows, dtype, widths, density)),
        batch_size=batch or rows,
        steps=3,
        shuffle=rows % 2 == 0,
        plan=plan,
    )
    assert (report.kernel_set, report.team, report.steps) == (kernel_set, team, 3)
    return (digest(net), report.epochs.tobytes()), report.sparse_products


# (rows, widths, density of x, products of one step by one thread). Rows go in panels of up to 112, a kernel of
# 128 · 128 is one tile, with a product for each leaf of 32 to 128 rows; the 3 columns of a last layer are too few.
COUNTS = {
    "x, one panel": (64, [128, 128], 0.15, 1 + 1),
    "x, two panels and leaves": (200, [128, 128], 0.15, 2 + 2),
    "x, a last leaf of few rows": (150, [128, 128], 0.15, 2 + 1),
    "dz": (64, [128, 128, 3], 1.0, 1),
    "none": (64, [128, 128], 1.0, 0),
}


@pytest.mark.parametrize("case", COUNTS)
@pytest.mark.parametrize("set_", SETS)
def test_each_product_with_zeros_leaves_them_out(set_, case):
    """By rows and by tiles, from the left operand and from the right: otherwise it would only be slower."""
    rows, widths, density, count = COUNTS[case]
    run = training(network(widths, "relu"), optimizer="sgd")
    feed = core.Feed(*sparse_data(rows, np.float32, widths, density))
    report = run.run(core.Context(set_, 1), feed, batch_size=rows, steps=1, shuffle=False, plan="rows")
    assert report.sparse_products == count


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_networks_have_the_scalar_bits(kind, dtype):
    dtype = np.dtype(dtype).type
    for rows in (33, 129, 260):
        expected, _ = train(kind, "scalar", 1, "rows", rows, dtype)
        for index, (kernel_set, team, plan) in enumerate(product(SETS, TEAMS, ("rows", "layers", "stored"))):
            if kernel_set in EMULATED and index % 5:
                continue
            bits, sparse = train(kind, kernel_set, team, plan, rows, dtype)
            assert bits == expected, (rows, kernel_set, team, plan)
            assert (sparse > 0) == (kind != "none"), (rows, kernel_set, team, plan, sparse)


@pytest.mark.parametrize("more", [{"clip_norm": 0.1}, {"weight_decay": 1e-3}], ids=str)
def test_with_clipping_and_decay(more):
    for batch in (64, 150):
        expected, _ = train("of both", "scalar", 1, "rows", 150, np.float32, batch, **more)
        for kernel_set, team in product(FAST_SETS, (1, 3)):
            bits, sparse = train("of both", kernel_set, team, "rows", 150, np.float32, batch, **more)
            assert bits == expected, (kernel_set, team, batch)
            assert sparse > 0


def test_careful_steps_have_the_scalar_bits():
    """Steps whose gradients might overflow; what the row phases leave is finite there too."""
    x, y = sparse_data(64, np.float32, [70, 130, 67, 5], 0.15)
    digests = set()
    for kernel_set, team in product(SETS, (1, 3)):
        net = network([70, 130, 67, 5], "relu")
        run = training(net, optimizer="sgd", rate=1e-38)
        feed = core.Feed(x * np.float32(1e21), y)
        report = run.run(core.Context(kernel_set, team), feed, batch_size=64, steps=2, shuffle=False)
        assert (report.careful_steps, report.steps) == (2, 2)
        assert report.sparse_products > 0
        digests.add(digest(net))
    assert len(digests) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_prediction_does_not_depend_on_the_zeros_of_other_rows(dtype):
    """Whether zeros are left out is decided by panels of rows; a row alone, or among dense ones, has the same bits."""
    model = gg.Sequential([gg.Dense(200, "relu"), gg.Dense(130, "relu"), gg.Dense(9)], seed=2, dtype=dtype)
    x, _ = sparse_data(60, np.float64, [90, 9], 0.2)
    x = x.astype(dtype)
    model.build((90,))
    together = model.predict(x)
    dense = np.concatenate([x[:1], np.ones((300, 90), dtype)])
    assert_same_bits(model.predict(dense)[:1], together[:1])
    for row in range(0, 60, 7):
        assert_same_bits(model.predict(x[row : row + 1]), together[row : row + 1])
    for kernel_set in SETS:
        previous = gg.use_kernel_set(kernel_set)
        try:
            assert_same_bits(model.predict(x), together)
        finally:
            gg.use_kernel_set(previous)


@pytest.mark.parametrize("set_", SETS)
def test_zeros_times_infinite_weights_are_not_left_out(set_):
    """A float32 holds no 1e39: a weight that is infinite makes NaN of each zero, in a prediction as in NumPy."""
    net = core.Network(
        64,
        [core.Dense("a", 200, True, "identity", 0.0, core.Initializer("constant", 1e39), core.Initializer("zeros"))],
        "float32",
        0,
    )
    x = np.zeros((40, 64), np.float32)
    x[::2, 3] = 1
    for team in (1, 3):
        assert np.isnan(net.predict(core.Context(set_, team), x)).all()
    run = core.Training(net, core.Loss("mse"), "values", core.Optimizer("sgd"), core.Schedule("constant", 1e-3), [])
    feed = core.Feed(x, None, np.zeros((40, 200), np.float32))
    assert np.isnan(run.evaluate(core.Context(set_, 1), feed).loss)
    with pytest.raises(gg.errors.TrainingDivergedError, match="output"):
        run.run(core.Context(set_, 1), feed, batch_size=40, steps=1, shuffle=False)


MEMORY_OF_SMALL_NETWORKS = """
from pathlib import Path
import numpy as np
from ganglion import _ganglion_core as core

def dense(name, units):
    return core.Dense(name, units, True, "tanh", 0.0, core.Initializer("glorot_uniform"), core.Initializer("zeros"))

def trainer():
    net = core.Network(2, [dense("a", 3), dense("b", 1)], "float32", 0)
    run = core.Training(net, core.Loss("mse"), "values", core.Optimizer("sgd"), core.Schedule("constant", 0.1), [])
    run.run(core.Context("scalar", 1), feed, batch_size=4, steps=1, shuffle=False)
    return run

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4

feed = core.Feed(np.zeros((4, 2), np.float32), None, np.zeros((4, 1), np.float32))
kept = [trainer() for _ in range(20)]
before = resident()
kept += [trainer() for _ in range(200)]
print((resident() - before) / 200)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_small_networks_need_little_memory():
    """Tiles as large as a plan's largest would take 200 KiB and more for each thread."""
    ran = subprocess.run([sys.executable, "-c", MEMORY_OF_SMALL_NETWORKS], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 60  # KiB for a trainer of nine weights


@pytest.mark.parametrize("density", [0.15, 1.0])
def test_gradients_of_the_largest_tiles_are_those_of_numpy(density):
    """All sets share what lies around the kernels: strides, transposed operands, slots of leaves."""
    net = network([256, 256], last="relu", dtype="float64")
    run = training(net, loss="sum_squares_error", optimizer="sgd", metrics=())
    x, _ = sparse_data(300, np.float64, [256, 256], density)
    w = net.parameters()[0]
    h = np.maximum(x @ w, 0)
    for team in (1, 2):
        found = run.gradients(core.Context(None, team), core.Feed(x, None, np.zeros((300, 256)))).arrays[0]
        np.testing.assert_allclose(found, x.T @ h / 300, rtol=1e-10, atol=1e-12)
