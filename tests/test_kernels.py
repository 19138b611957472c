"""Every kernel but matmul and updates: the bits of the scalar set from every set, and what its contract says."""

import itertools

import numpy as np
import pytest

from bits import (
    DTYPES,
    FAST_SETS,
    SETS,
    any_numbers,
    assert_all_same,
    assert_like_scalar,
    assert_same_bits,
    numbers,
    operations,
    special_values,
)

# Both sides of every vector width, of the 16 lanes of a row sum and of 8 vectors, which several kernels take at once;
# rows on both sides of a leaf's 128. A prime number of widths: each meets all of the choices that are taken in turn.
COLUMNS = (*range(1, 11), 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 50, 63, 64, 65, 100, 127, 128, 129, 130)
ROWS = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17)
TALL = [(rows, columns) for rows in (127, 128, 129, 1000) for columns in (1, 7, 10, 13, 16, 50)]
SHAPES = [*itertools.product(ROWS, COLUMNS), *TALL, (0, 10), (3, 784)]
MISALIGNED = (0, 1, 5, 16)

TABLES = operations.tables("scalar")
NEEDS = {name: needs for name, needs, _ in TABLES["activations"]}
ALPHA = 0.25
DELTA = 0.75

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_fast_set = pytest.mark.parametrize("set_", FAST_SETS)
each_set = pytest.mark.parametrize("set_", SETS)
each_function = pytest.mark.parametrize("name", TABLES["functions"])
each_activation = pytest.mark.parametrize("name", [name for name, *_ in TABLES["activations"]])
each_backward = pytest.mark.parametrize("name", [name for name in NEEDS if NEEDS[name] != "nothing"])
each_loss = pytest.mark.parametrize(("name", "target"), [(name, target) for name, target, _ in TABLES["losses"]])


def special_rows(dtype):
    """(12, 19): logits whose exponentials over- or underflow, whose maximum is not finite, or that are all equal."""
    rows = np.stack([numbers((19,), dtype, seed) for seed in range(12)])
    rows[0, 0], rows[1, 3], rows[2, 16], rows[3, 18] = 88.72, 103.97, -88.72, -103.97
    rows[4, 7], rows[5, 0], rows[6, 1], rows[7, 17] = 1e4, -1e4, np.nan, np.inf
    rows[8], rows[9], rows[10], rows[11, 5:] = -np.inf, 3, np.finfo(dtype).max, -np.inf
    return rows


def test_there_are_enough_shapes():
    assert len(set(SHAPES)) >= 300


@each_set
def test_every_set_has_the_same_tables(set_):
    assert operations.tables(set_) == TABLES


@each_fast_set
@each_dtype
@each_function
def test_function(set_, dtype, name):
    x = np.concatenate([special_values(dtype), any_numbers(2000, dtype, seed=1), numbers((3000,), dtype)])
    assert_like_scalar(set_, "function", name, x)
    for length, offset in itertools.product(range(70), (0, 1, 3)):
        assert_like_scalar(set_, "function", name, x[offset : offset + length])


@each_fast_set
@each_dtype
@each_activation
def test_activation_apply(set_, dtype, name):
    x = np.concatenate([any_numbers(500, dtype, seed=1), special_values(dtype)])
    assert_like_scalar(set_, "activation_apply", name, x, ALPHA)
    for length, offset in itertools.product(range(70), (0, 1, 3)):
        assert_like_scalar(set_, "activation_apply", name, numbers((80,), dtype)[offset : offset + length], ALPHA)


@each_fast_set
@each_dtype
@each_activation
def test_activation_forward(set_, dtype, name):
    for index, shape in enumerate(SHAPES):
        z, bias = numbers(shape, dtype), numbers(shape[1:], dtype, seed=1)
        misalign = MISALIGNED[index % 4]
        assert_like_scalar(set_, "activation_forward", name, z, bias if index % 3 else None, ALPHA, misalign=misalign)
    if NEEDS[name] != "input":
        z, bias = numbers((129, 50), dtype), numbers((50,), dtype, seed=1)
        in_place, _, _ = operations.activation_forward(set_, name, z, bias, ALPHA, in_place=True)
        assert_same_bits(in_place, operations.activation_forward("scalar", name, z, bias, ALPHA)[0])


@each_fast_set
@each_dtype
@each_backward
def test_activation_backward(set_, dtype, name):
    for index, shape in enumerate(SHAPES):
        d, saved = numbers(shape, dtype), numbers(shape, dtype, seed=1)
        assert_like_scalar(set_, "activation_backward", name, d, saved, ALPHA, misalign=MISALIGNED[index % 4])


@each_fast_set
@each_dtype
@each_activation
def test_activations_of_special_values(set_, dtype, name):
    special = special_values(dtype)
    a, b = (x.copy() for x in np.meshgrid(special, special))  # each with each
    if NEEDS[name] != "nothing":
        assert_like_scalar(set_, "activation_backward", name, a, b, ALPHA)
    for z in (a, a.T.copy(), special_rows(dtype)):
        assert_like_scalar(set_, "activation_forward", name, z, None, ALPHA)
        assert_like_scalar(set_, "activation_forward", name, z, numbers(z.shape[1:], dtype), ALPHA)


@each_set
@each_dtype
@each_activation
def test_activations_store_no_denormals(set_, dtype, name):
    smallest = np.finfo(dtype).smallest_normal
    z = np.concatenate([special_values(dtype), any_numbers(5000, dtype, seed=2)])[None]
    z = z[np.isfinite(z)][None]
    h, _, _ = operations.activation_forward(set_, name, z, None, ALPHA)
    d = np.zeros_like(z)
    if NEEDS[name] != "nothing":
        d, _ = operations.activation_backward(set_, name, np.full_like(z, smallest), z, ALPHA)
    for stored in (h, d[:, : z.shape[1]]):
        assert not ((stored != 0) & (np.abs(stored) < smallest)).any()
        assert not np.signbit(stored[np.abs(stored) < smallest]).any() or name == "identity"


@each_set
@each_dtype
@each_backward
def test_padding_that_was_zero_stays_zero(set_, dtype, name):
    d, _ = operations.activation_backward(set_, name, numbers((5, 13), dtype), numbers((5, 13), dtype, seed=1), ALPHA)
    assert d.shape == (5, 16) and not bits_of_padding(d, 13).any()


def bits_of_padding(x, columns):
    return np.ascontiguousarray(x[:, columns:]).view(np.uint8)


def targets(name, target, shape, dtype, seed=0):
    """The keyword argument of the kernel, one-hot or a distribution for the cross-entropies."""
    generator = np.random.default_rng([seed, *shape])
    rows, columns = shape
    if target == "labels":
        return {"labels": generator.integers(0, columns, rows).astype(np.int32)}
    values = generator.random(shape).astype(dtype)
    return {"values": values / values.sum(axis=1, keepdims=True) if name.startswith(("cross", "cat")) else values}


@each_fast_set
@each_dtype
@each_loss
def test_loss_gradient(set_, dtype, name, target):
    for index, shape in enumerate(SHAPES):
        z = numbers(shape, dtype) * dtype_of(dtype)(1 + 5 * (index % 3))
        options = {"scale": 1 / max(1, shape[0]), "in_place": index % 2 == 1, "misalign": MISALIGNED[index % 4]}
        for outputs in (z, np.abs(z)):  # logits, and what may be probabilities
            given = targets(name, target, shape, dtype)
            assert_like_scalar(set_, "loss_gradient", name, outputs, **given, parameter=DELTA, **options)


def dtype_of(name):
    return np.dtype(name).type


@each_fast_set
@each_dtype
@each_loss
def test_loss_gradient_of_chosen_rows(set_, dtype, name, target):
    wanted = targets(name, target, (300, 10), dtype)
    rows = np.random.default_rng(0).permutation(300)[:128].astype(np.int32)
    z = numbers((128, 10), dtype)
    assert_like_scalar(set_, "loss_gradient", name, z, **wanted, rows=rows)
    (of_target,) = wanted
    chosen = operations.loss_gradient(set_, name, z, **{of_target: wanted[of_target][rows]})
    assert_all_same(operations.loss_gradient(set_, name, z, **wanted, rows=rows), chosen)
    later = operations.loss_gradient(set_, name, z, **{of_target: wanted[of_target][100:228]})
    assert_all_same(operations.loss_gradient(set_, name, z, **wanted, first=100), later)


@each_fast_set
@each_dtype
@each_loss
def test_loss_gradient_of_special_values(set_, dtype, name, target):
    z = special_rows(dtype)
    assert_like_scalar(set_, "loss_gradient", name, z, **targets(name, target, z.shape, dtype), parameter=DELTA)
    assert_like_scalar(set_, "loss_gradient", name, np.abs(z), **targets(name, target, z.shape, dtype))
    if target == "values":
        assert_like_scalar(set_, "loss_gradient", name, numbers(z.shape, dtype), values=z)


@each_set
@each_dtype
@pytest.mark.parametrize("name", ["cross_entropy", "categorical_crossentropy"])
def test_one_hot_targets_give_the_bits_of_their_labels(set_, dtype, name):
    for shape in ((129, 10), (3, 17), (1, 1), (5, 64)):
        z = np.abs(numbers(shape, dtype)) * dtype_of(dtype)(10)  # some of them small enough to be clipped
        labels = targets(name, "labels", shape, dtype)["labels"]
        one_hot = np.eye(shape[1], dtype=dtype)[labels]
        of_labels = operations.loss_gradient(set_, name, z, labels=labels, scale=1 / 128)
        assert_all_same(operations.loss_gradient(set_, name, z, values=one_hot, scale=1 / 128), of_labels)


@each_set
@each_dtype
@each_loss
def test_loss_gradient_zeroes_its_padding(set_, dtype, name, target):
    _, d, _, _ = operations.loss_gradient(set_, name, numbers((5, 13), dtype), **targets(name, target, (5, 13), dtype))
    assert d.shape == (5, 16) and not bits_of_padding(d, 13).any()


@each_fast_set
@each_dtype
@pytest.mark.parametrize("source", ["float32", "float64", "uint8"])
def test_gather(set_, dtype, source):
    for index, (rows, columns) in enumerate(SHAPES):
        generator = np.random.default_rng([rows, columns])
        n = rows + 5
        x = generator.integers(0, 256, (n, columns), np.uint8) if source == "uint8" else numbers((n, columns), source)
        if index % 2:
            x = np.repeat(x, 2, axis=1)[:, :columns]  # rows further apart than they are long
        chosen = {"rows": generator.integers(0, n, rows).astype(np.int32)} if index % 3 else {"first": 3, "count": rows}
        scaled = {"scale": 1 / 255, "offset": -0.1} if index % 4 > 1 else {}
        assert_like_scalar(set_, "gather", x, **chosen, **scaled, dtype=dtype, misalign=MISALIGNED[index % 4])


@each_set
@each_dtype
@pytest.mark.parametrize("source", ["float32", "float64", "uint8"])
def test_gather_is_indexing(set_, dtype, source):
    x = np.random.default_rng(0).integers(0, 256, (300, 23)).astype(source)
    rows = np.random.default_rng(1).permutation(300).astype(np.int32)
    out, largest = operations.gather(set_, x, rows, dtype=dtype)
    assert_same_bits(out[:, :23], x[rows].astype(dtype))
    assert largest == x.max() and not bits_of_padding(out, 23).any()
    scale, offset = dtype_of(dtype)(1 / 255), dtype_of(dtype)(-0.125)
    out, _ = operations.gather(set_, x, first=7, count=200, scale=1 / 255, offset=-0.125, dtype=dtype)
    assert_same_bits(out[:, :23], x[7:207].astype(dtype) * scale + offset)


@each_set
@each_dtype
def test_gather_converts_special_values(set_, dtype):
    x = special_values("float64")[None]
    with np.errstate(over="ignore", under="ignore"):
        expected = x.astype(dtype)
    out, largest = operations.gather(set_, x, dtype=dtype)
    assert_same_bits(out[:, : x.shape[1]], expected)
    assert np.isnan(largest)


@each_set
@each_dtype
def test_column_sums_are_chains_in_row_order(set_, dtype):
    for index, (rows, columns) in enumerate(SHAPES):
        d = numbers((rows, columns), dtype)
        expected = np.add.accumulate(np.concatenate([np.zeros((1, columns), dtype), d]))[-1]
        assert_same_bits(operations.column_sums(set_, d, MISALIGNED[index % 4]), expected)


@each_set
@each_dtype
def test_add(set_, dtype):
    x = np.concatenate([special_values(dtype), any_numbers(500, dtype, seed=1)])
    for length in (*range(70), len(x)):
        a, b = x[:length], x[::-1][:length].copy()
        with np.errstate(all="ignore"):
            expected = a + b
        assert_same_bits(operations.add(set_, a, b, length % 5), expected)


@each_set
@each_dtype
def test_transpose(set_, dtype):
    for index, (rows, columns) in enumerate(SHAPES):
        memory = numbers((rows, columns + 5), dtype)
        x = memory[:, index % 5 : index % 5 + columns]
        guarded = np.full((columns, rows + 19), 12345.5, dtype)
        out = guarded[:, index % 17 : index % 17 + rows]
        operations.transpose(set_, x, out)
        assert_same_bits(out.copy(), x.T.copy())
        out[:] = 12345.5
        assert (guarded == 12345.5).all()


@each_set
@each_dtype
def test_largest_keeps_what_is_not_finite(set_, dtype):
    for index, shape in enumerate(SHAPES):
        x = numbers(shape, dtype)
        misalign = MISALIGNED[index % 4]
        assert operations.largest(set_, x, misalign) == (np.abs(x).max() if x.size else 0)
        if x.size == 0:
            continue
        place = index * 37 % x.size
        x.flat[place] = -np.inf
        assert operations.largest(set_, x, misalign) == np.inf
        for nan in (np.nan, -np.nan):
            x.flat[(place + 1) % x.size] = nan
            assert np.isnan(operations.largest(set_, x, misalign))


@each_set
@each_dtype
def test_argmax_is_that_of_numpy(set_, dtype):
    generator = np.random.default_rng(0)
    for index, shape in enumerate(SHAPES):
        ties, special = generator.integers(0, 3, shape).astype(dtype), generator.choice(special_values(dtype), shape)
        for x in (numbers(shape, dtype), ties, special):
            assert_same_bits(operations.argmax(set_, x, MISALIGNED[index % 4]), x.argmax(axis=1).astype(np.int32))


@each_set
def test_row_sums_have_sixteen_lanes(set_):
    # Squares and their sums are exact in float64, so that each step of this model is rounded once, as the kernel's is.
    for columns in (1, 7, 15, 16, 17, 31, 32, 33, 50, 129, 1000):
        e = np.random.default_rng(columns).integers(-4095, 4096, columns).astype(np.float32)
        lanes = np.zeros(16, np.float32)
        for j, x in enumerate(e):
            lanes[j % 16] = np.float64(x) * np.float64(x) + np.float64(lanes[j % 16])
        for half in (8, 4, 2, 1):
            lanes = lanes[:half] + lanes[half:]
        losses, *_ = operations.loss_gradient(set_, "mse", e[None], values=np.zeros((1, columns), np.float32))
        assert_same_bits(losses, lanes)


DOUBLES, SINGLES, INTEGERS = np.ones((3, 3)), np.ones((3, 3), np.float32), np.ones((3, 3), np.int32)
REFUSED = [
    ("add", ("mmx", DOUBLES, DOUBLES), ValueError, "unknown kernel set 'mmx'"),
    ("function", ("scalar", "cosh", DOUBLES[0]), ValueError, "unknown function 'cosh'"),
    ("activation_backward", ("scalar", "step", DOUBLES, DOUBLES), ValueError, "'step' has no derivative"),
    ("largest", ("scalar", INTEGERS), TypeError, "x has dtype int32; float32 or float64 is needed"),
    ("add", ("scalar", DOUBLES, SINGLES), TypeError, "b has dtype float32; float64 is needed"),
    ("gather", ("scalar", DOUBLES, INTEGERS[0] + 2), ValueError, "rows must lie in 0 … 2"),
    ("gather", ("scalar", INTEGERS), TypeError, "x has dtype int32; float32, float64 or uint8 is needed"),
]


@pytest.mark.parametrize(("operation", "arguments", "error", "match"), REFUSED)
def test_what_the_bindings_refuse(operation, arguments, error, match):
    with pytest.raises(error, match=match):
        getattr(operations, operation)(*arguments)
