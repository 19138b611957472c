"""What users may pass: each kind of array that is taken, and each that is refused with its message."""

import numpy as np
import pytest

import ganglion as gg
from ganglion import _ganglion_core as core
from ganglion import inputs, machine

MODEL = gg.Sequential(gg.Dense(3, "tanh", input_shape=(4,)), gg.Dense(2), seed=1)
X = np.arange(-12, 12, dtype=np.float32).reshape(6, 4)


def misaligned(array):
    buffer = np.zeros(array.nbytes + 1, np.uint8)
    copy = buffer[1:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    assert not copy.flags.aligned
    return copy


def read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def strided_rows(array):
    wide = np.full((len(array), array.shape[1] + 3), np.nan, array.dtype)
    wide[:, 1:-2] = array
    return wide[:, 1:-2]


class Frame:
    """What pandas and polars frames have in common."""

    def __array__(self, dtype=None, copy=None):
        return np.array(X, dtype)


IN_PLACE = {
    "float32": X,
    "float64": X.astype(np.float64),
    "uint8": np.abs(X).astype(np.uint8),
    "rows apart": strided_rows(X),
    "every other row": np.repeat(X, 2, axis=0)[::2],
    "read-only": read_only(X),
}
COPIED = {
    "list": X.tolist(),
    "tuple of arrays": tuple(X),
    "frame": Frame(),
    "Fortran": np.asfortranarray(X),
    "strided": np.repeat(X, 2, axis=1)[:, ::2],
    "rows backwards": X[::-1].copy()[::-1],
    "columns backwards": X[:, ::-1].copy()[:, ::-1],
    "misaligned": misaligned(X),
    "byte-swapped": X.astype(">f4"),
    "float16": X.astype(np.float16),
    "longdouble": X.astype(np.longdouble),
    "int8": X.astype(np.int8),
    "int64": X.astype(np.int64),
    "subclass": X[::-1].copy()[::-1].view(np.recarray),
}


@pytest.mark.parametrize("kind", IN_PLACE)
def test_read_in_place(kind):
    given = IN_PLACE[kind]
    assert inputs.features("x", given, 4, "float32") is given
    assert MODEL.network.try_predict(machine.context(), given) is not None
    np.testing.assert_array_equal(MODEL.predict(given), MODEL.predict(np.array(given, np.float32)))


@pytest.mark.parametrize("kind", COPIED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_copied_once(kind, dtype):
    taken = inputs.features("x", COPIED[kind], 4, dtype)
    np.testing.assert_array_equal(taken, X)
    assert taken.dtype == (dtype if isinstance(COPIED[kind], np.ndarray) else np.asarray(COPIED[kind]).dtype)
    assert taken.flags.c_contiguous
    assert taken.flags.aligned
    assert MODEL.network.try_predict(machine.context(), COPIED[kind]) is None
    np.testing.assert_array_equal(MODEL.predict(COPIED[kind]), MODEL.predict(X))


@pytest.mark.parametrize("shape", ["(n, 1)", "newaxis", "one row", "one row of one"])
def test_axes_of_length_one(shape):
    column = np.arange(5, dtype=np.float32)
    given, features = {
        "(n, 1)": (column.reshape(5, 1), 1),
        "newaxis": (column[:, None], 1),
        "one row": (column[None, :], 5),
        "one row of one": (column[2:3, None], 1),
    }[shape]
    model = gg.Sequential(gg.Dense(2, input_shape=(features,)), seed=3)
    np.testing.assert_array_equal(model.predict(given), model.predict(given.tolist()))


def test_rows_that_are_one_in_memory():
    given = np.broadcast_to(X[1], (3, 4))
    assert MODEL.network.try_predict(machine.context(), given) is None
    np.testing.assert_array_equal(MODEL.predict(given), MODEL.predict(given.copy()))
    with pytest.raises(ValueError, match=r"^x must be finite; x\[0, 2\] is nan"):
        MODEL.predict(np.broadcast_to(np.array([1, 2, np.nan, 4], np.float32), (3, 4)))


def test_bool_and_memory_mapped(tmp_path):
    np.testing.assert_array_equal(MODEL.predict(X > 0), MODEL.predict((X > 0).astype(np.float32)))
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(MODEL.predict(mapped), MODEL.predict(X))
    assert np.shares_memory(inputs.features("x", mapped, 4, "float32"), mapped)


@pytest.mark.parametrize("kind", ["float16", "int64", ">f4", "Fortran", "strided"])
def test_a_memory_mapped_file_is_never_copied_whole(tmp_path, kind):
    array = {"Fortran": np.asfortranarray(X), "strided": np.repeat(X, 2, axis=1)}.get(kind)
    np.save(tmp_path / "x.npy", X.astype(kind) if array is None else array)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    given = mapped[:, ::2] if kind == "strided" else mapped
    with pytest.raises(
        TypeError,
        match=rf"^x is a memory-mapped file of {given.dtype} that would have to be copied whole: float32, float64 "
        r"and uint8 are read where they lie, row by row; write the file so, give batches of it, or pass np.array\(x\)",
    ):
        MODEL.predict(given)
    np.testing.assert_array_equal(MODEL.predict(np.array(given)), MODEL.predict(X))


class Sparse:
    """What SciPy's matrices have in common."""

    def toarray(self):
        return X


def with_value(value, dtype=np.float32, row=2, column=3):
    x = X.astype(dtype)
    x[row, column] = value
    return x


WRONG_X = [
    ([[object()] * 4], TypeError, r"x must be an array of real numbers; given list of dtype object; convert it first"),
    ([["a"] * 4], TypeError, r"x must be an array of real numbers; given list of dtype <U1"),
    (X.astype(np.complex64), TypeError, r"given ndarray of dtype complex64"),
    (np.zeros((3, 4), "M8[s]"), TypeError, r"given ndarray of dtype datetime64\[s\]"),
    (np.zeros((3, 4), "m8[s]"), TypeError, r"given ndarray of dtype timedelta64\[s\]"),
    (np.zeros((3, 4), [("a", "f4")]), TypeError, r"given ndarray of dtype \[\('a', '<f4'\)\]"),
    (None, TypeError, r"x must be an array of real numbers; given NoneType of dtype object"),
    (Sparse(), TypeError, r"x must be an array of real numbers; given a sparse matrix; pass x.toarray\(\)"),
    (np.ma.masked_invalid(X), TypeError, r"given a masked array; pass x.filled\(value\)"),
    ([[1, 2, 3, 4], [1, 2, 3]], ValueError, r"x must be a rectangular array, all rows of one length"),
    (3.0, ValueError, r"x must have shape \(n, 4\), 4 being what the model takes; given \(\)$"),
    (X[0], ValueError, r"x must have shape \(n, 4\).*given \(4,\); for one sample pass x\[None, :\]"),
    (X[0, :3], ValueError, r"x must have shape \(n, 4\).*given \(3,\)$"),
    (X[:, :3], ValueError, r"x must have shape \(n, 4\).*given \(6, 3\)$"),
    (X.T, ValueError, r"x must have shape \(n, 4\).*given \(4, 6\); if its columns are the samples, pass x.T"),
    (X.reshape(6, 2, 2), ValueError, r"given \(6, 2, 2\); flatten the samples: x.reshape\(6, 4\)"),
    (X.reshape(6, 2, 2, 1)[:, :1], ValueError, r"given \(6, 1, 2, 1\)$"),
    (np.zeros((0, 3)), ValueError, r"given \(0, 3\)$"),
    ([], ValueError, r"given \(0,\)$"),
    (with_value(np.nan).tolist(), ValueError, r"x\[2, 3\] is "),
    (
        np.asfortranarray(with_value(np.nan)),
        ValueError,
        r"^x must be finite; x\[2, 3\] is nan; remove such rows",
    ),
    (with_value(-np.inf, np.float16), ValueError, r"^x must be finite; x\[2, 3\] is -inf; remove such rows"),
    (
        np.asfortranarray(with_value(1e40, np.float64)),
        ValueError,
        r"^x must be finite; x\[2, 3\] is 1e\+40; too large for float32",
    ),
    (with_value(np.nan), ValueError, r"x\[2, 3\] is "),
    (with_value(np.inf, np.float64), ValueError, r"x\[2, 3\] is "),
    (with_value(-1e40, np.float64), ValueError, r"x\[2, 3\] is "),
]


@pytest.mark.parametrize(("x", "error", "message"), WRONG_X)
def test_wrong_features(x, error, message):
    with pytest.raises(error, match=message):
        MODEL.predict(x)


def test_one_dimension_for_one_feature_is_refused_with_the_remedy():
    model = gg.Sequential(gg.Dense(1, input_shape=(1,)))
    with pytest.raises(ValueError, match=r"given \(6,\); for samples of one feature pass x\[:, None\]"):
        model.predict(X[:, 0])
    open_trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse")
    with pytest.raises(
        ValueError, match=r"\(n, features\); given \(6,\); for samples of one feature pass x\[:, None\]"
    ):
        open_trainer.fit(X[:, 0], X[:, 0], verbose=0)
    with pytest.raises(ValueError, match=r"\(n, features\); given \(6, 2, 2\); flatten the samples: x.reshape\(6, 4\)"):
        open_trainer.fit(X.reshape(6, 2, 2), X[:, 0], verbose=0)
    with pytest.raises(ValueError, match=r"x must have at least one column; given \(6, 0\)"):
        open_trainer.fit(X[:, :0], X[:, 0], verbose=0)


def test_values_that_fit_float64_only_are_fine_there():
    model = gg.Sequential(gg.Dense(1, kernel_initializer="zeros", input_shape=(4,)), dtype="float64")
    assert model.predict(with_value(1e40, np.float64)).shape == (6, 1)


LABELS = {
    "int64": np.array([0, 1, 2]),
    "int32": np.array([0, 1, 2], np.int32),
    "uint8": np.array([0, 1, 2], np.uint8),
    "int8": np.array([0, 1, 2], np.int8),
    "misaligned": np.frombuffer(b"." + np.array([0, 1, 2]).tobytes(), np.int64, offset=1),
    "uint64": np.array([0, 1, 2], np.uint64),
    "float64": np.array([0.0, 1.0, 2.0]),
    "float16": np.array([0, 1, 2], np.float16),
    "byte-swapped": np.array([0, 1, 2], ">i8"),
    "list": [0, 1, 2],
    "column": np.array([[0], [1], [2]]),
    "strided": np.array([0, 9, 1, 9, 2])[::2],
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels(kind):
    given = inputs.numeric("y", LABELS[kind])
    labels = inputs.labels("y", given, 3)
    assert labels.tolist() == [0, 1, 2]
    assert labels.dtype == np.int32
    assert not np.shares_memory(labels, given)


@pytest.mark.parametrize("kind", LABELS)
def test_the_core_reads_the_usual_labels(kind):
    given = inputs.numeric("y", LABELS[kind])
    labels = core.labels(given, 3)
    assert (labels is not None) == (kind in ("int64", "int32", "uint8", "list", "strided"))
    assert core.labels(given, 2) is None
    assert labels is None or (labels.tolist(), labels.dtype) == ([0, 1, 2], np.int32)


def test_bool_labels():
    assert inputs.labels("y", np.array([True, False]), 2).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            [0, 1, -1],
            r"^y must hold labels 0 to 2, .*; y\[2\] is -1; classes count from 0: renumber them, or remove such rows$",
        ),
        ([0, 7, 3], r"y\[1\] is 7; give the last layer at least 8 units, or renumber them$"),
        ([0, 3, 1], r"y\[1\] is 3; give the last layer at least 4 units"),
        ([1, 3, 2], r"y\[1\] is 3; if yours start at 1, pass y - 1$"),
        (np.array([0, 2**64 - 1], np.uint64), r"y\[1\] is 18446744073709551615; renumber"),
        (np.array([0, -2], np.int32), r"y\[1\] is -2; classes count from 0"),
        (np.array([0, 200], np.uint8), r"y\[1\] is 200; give the last layer at least 201 units"),
        ([2**40], r"y\[0\] is 1099511627776; renumber"),
        (
            [0, 0.5],
            r"y\[1\] is 0.5, not a whole number: use loss='mse' for values that are no classes$",
        ),
        ([0, np.nan], r"^y must hold labels 0 to 2, .*; y\[1\] is nan, not a whole number: remove such rows$"),
        ([0, np.inf], r"^y must hold labels 0 to 2, .*; y\[1\] is inf, not a whole number: remove such rows$"),
    ],
)
def test_wrong_labels(y, message):
    with pytest.raises(ValueError, match=message):
        inputs.labels("y", np.array(y), 3)


def test_distributions_are_copies_in_the_network_s_type():
    one_hot = np.eye(3)
    for given in (one_hot, one_hot.astype(bool), one_hot.astype(np.uint8), np.full((2, 3), 1 / 3)):
        taken = inputs.distributions("y", given, "float32")
        np.testing.assert_array_equal(taken, given.astype(np.float32))
        assert taken.dtype == np.float32
        assert not np.shares_memory(taken, given)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            [[1, 0], [1.5, -0.5]],
            r"^y must hold one-hot rows or distributions; y\[1, 1\] is -0.5$",
        ),
        (
            [[1, 0], [1, 1]],
            r"^y must hold one-hot rows or distributions; y\[1\] sums to 2, not 1; labels have shape \(n,\)",
        ),
        ([[0, 0], [1, 0]], r"y\[0\] sums to 0, not 1"),
        ([[0.5, np.nan]], r"^y must be finite; y\[0, 1\] is nan; remove"),
    ],
)
def test_wrong_distributions(y, message):
    with pytest.raises(ValueError, match=message):
        inputs.distributions("y", np.array(y), "float32")


def test_finite_values_whose_sum_is_not_are_values():
    given = np.full((2, 2), np.finfo(np.float32).max)
    assert inputs.values("y", given, "float32").tolist() == given.tolist()


def test_the_first_bad_element_is_found_beyond_a_block():
    values = np.zeros((3 * inputs.BLOCK // 4, 2), np.float32)
    values[inputs.BLOCK // 2 + 5, 1] = np.nan
    values[-1, 0] = np.nan
    with pytest.raises(ValueError, match=rf"x\[{inputs.BLOCK // 2 + 5}, 1\] is nan"):
        inputs.check_finite("x", values, "float32")
    with pytest.raises(ValueError, match=rf"x\[{len(values) - 1}, 0\] is nan"):
        inputs.check_finite("x", values, "float32", start=inputs.BLOCK // 2 + 6)


def test_check_finite_knows_the_type_it_will_become():
    inputs.check_finite("x", np.array([[1e40]]), "float64")
    inputs.check_finite("x", np.array([[3]], np.uint8), "float32")
    with pytest.raises(ValueError, match=r"x\[0, 0\] is 1e\+40; too large for float32: rescale"):
        inputs.check_finite("x", np.array([[1e40]]), "float32")


@pytest.mark.parametrize("y", [["a", "b"], np.array(["a"]), np.array(["a", "b"], object), [[1, "b"]], "a", b"a"])
def test_class_names_for_targets(y):
    with pytest.raises(
        TypeError, match=r"^y must .* given text; .*: names, labels = np.unique\(y, return_inverse=True"
    ):
        inputs.targets("y", y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "^y is missing: give one target for each row; given None$"),
        ([2, None], r"^y must be an array of real numbers; y\[1\] is None: remove such rows or fill the gaps$"),
        ([2, {}], "given list of dtype object; convert it first"),
        (Sparse(), "given a sparse matrix"),
        (np.array([1j]), "given ndarray of dtype complex128; convert it first"),
    ],
)
def test_other_targets_that_are_no_numbers(y, message):
    with pytest.raises(TypeError, match=message):
        inputs.targets("y", y)


def test_targets_are_not_copied():
    y = np.arange(3)
    assert inputs.targets("y", y) is y


@pytest.mark.parametrize(
    ("value", "message"), [(4, None), (5, None), (3, "at least 4; given 3"), (10**19, "at most 5; given 1000000000")]
)
def test_bounds_of_integers(value, message):
    if message is None:
        assert inputs.integer("n", value, minimum=4, maximum=5) == value
    else:
        with pytest.raises(ValueError, match=f"^n must be {message}"):
            inputs.integer("n", value, minimum=4, maximum=5)


@pytest.mark.parametrize(("value", "result"), [(3, 3), (np.int8(3), 3), (np.uint64(3), 3)])
def test_integer(value, result):
    assert inputs.integer("n", value) == result
    assert type(inputs.integer("n", value)) is int


@pytest.mark.parametrize("value", [True, np.True_, 3.0, np.float32(3), "3", None, [3], np.array([3.0])])
def test_no_integer(value):
    with pytest.raises(TypeError, match=r"n must be an integer; given .* of type"):
        inputs.integer("n", value)
