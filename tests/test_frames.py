"""Frames and columns of pandas and polars: what is taken, and messages that name the column."""

import re
import subprocess
import sys

import numpy as np
import pytest

import ganglion as gg
from ganglion import frames, inputs
from small_models import LABELS, X, assert_same, classifier, weights_after

NAMES = ["length", "width", "height", "weight"]


class Column:
    """What the columns of both libraries have in common, over NumPy."""

    def __init__(self, name, values):
        self.name, self._values = name, np.asarray(values)
        self.dtype = self._values.dtype

    def __len__(self):
        return len(self._values)

    def isna(self):
        return np.array([value is None or value != value for value in self._values.tolist()])

    def to_numpy(self):
        return self._values

    def __array__(self, dtype=None, copy=None):
        return np.array(self._values, dtype)


class Frame:
    """What the frames have: a stand-in where neither library is installed."""

    def __init__(self, data):
        self._data = {name: Column(name, values) for name, values in data.items()}
        self.columns = list(data)
        self.dtypes = [column.dtype for column in self._data.values()]

    def __len__(self):
        return len(next(iter(self._data.values()), ()))

    def items(self):
        return self._data.items()

    def to_numpy(self):
        raise AssertionError("a frame is taken column by column")


def stand_in():
    return Frame, Column


def pandas():
    library = pytest.importorskip("pandas")
    return library.DataFrame, lambda name, values: library.Series(values, name=name)


def polars():
    library = pytest.importorskip("polars")
    return library.DataFrame, library.Series


LIBRARIES = [stand_in, pandas, polars]


def table(**others):
    return dict(zip(NAMES, X.T.astype(np.float64), strict=True)) | others


@pytest.mark.parametrize("library", LIBRARIES)
def test_frames_train_as_arrays_do(library):
    frame, column = library()
    x, y = frame(table()), column("kind", LABELS)
    trainer = gg.Trainer(classifier(), "cross_entropy", metrics=["accuracy"])
    fit = {"epochs": 3, "validation_split": 0.2, "sample_weight": column("count", np.ones(50))}
    trainer.fit(x, y, verbose=0, **fit)
    assert_same(weights_after(classifier(), {"epochs": 3, "validation_split": 0.2}), trainer.model.get_weights())
    np.testing.assert_array_equal(trainer.predict(x), trainer.predict(X))
    assert trainer.evaluate(x, frame({"kind": LABELS})) == trainer.evaluate(X, LABELS)
    one_hot = frame({str(i): i == LABELS for i in range(3)})
    assert trainer.evaluate(x, one_hot) == trainer.evaluate(X, LABELS)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_columns_of_all_types_of_numbers(library, dtype):
    frame, _ = library()
    data = {
        "float64": [0.1, 1e30, -3.0],
        "float32": np.array([0.1, 2.0, 3.0], np.float32),
        "int64": [1, -(2**40), 3],
        "uint8": np.array([1, 2, 255], np.uint8),
        "bool": [True, False, True],
    }
    rows = inputs.features("x", frame(data), 5, dtype)
    expected = np.stack([np.asarray(values).astype(dtype) for values in data.values()], axis=1)
    np.testing.assert_array_equal(rows, expected)
    assert rows.dtype == dtype
    assert inputs.in_place(rows, 5)


def test_numbers_that_pandas_alone_has():
    pd = pytest.importorskip("pandas")
    data = {
        "nullable": pd.array([1, 2, 3], dtype="Int64"),
        "float": pd.array([0.5, 2, 3], dtype="Float32"),
        "flag": pd.array([True, False, True], dtype="boolean"),
        "sparse": pd.arrays.SparseArray([0.0, 0.0, 1.0]),
    }
    rows = inputs.features("x", pd.DataFrame(data), 4, "float64")
    assert rows.tolist() == [[1, 0.5, 1, 0], [2, 2, 0, 0], [3, 3, 1, 1]]
    twins = pd.DataFrame(np.arange(6.0).reshape(3, 2), columns=["same", "same"])
    assert inputs.features("x", twins, 2, "float64").tolist() == [[0, 1], [2, 3], [4, 5]]
    labels = inputs.targets("y", pd.Series([2**24 + 1, 0], dtype="Int64"))
    assert labels.tolist() == [2**24 + 1, 0]  # never by way of the network's float32


def test_numbers_that_polars_alone_has():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"price": pl.Series(["1.5", "2.25"]).cast(pl.Decimal(10, 2)), "n": [1, 2]})
    assert inputs.features("x", frame, 2, "float64").tolist() == [[1.5, 1], [2.25, 2]]
    with pytest.raises(
        TypeError, match=r"^x must be an array of real numbers; given a lazy frame; pass x.collect\(\)$"
    ):
        inputs.features("x", frame.lazy(), 2, "float64")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (
            np.array(["a"] * 50, object),
            TypeError,
            r"^x must hold real numbers; column 'bad' is of dtype (object|str|String); one-hot encode it, "
            r"(pd.get_dummies\(x, columns=\['bad'\]\)|x.to_dummies\('bad'\)), or turn it into numbers$",
        ),
        (
            np.full(50, "2020-01-01", "M8[us]"),
            TypeError,
            r"^x must hold real numbers; column 'bad' is of dtype (datetime64\[us\]|Datetime\(.*\)); turn it into "
            "numbers first, or leave it out$",
        ),
        (
            np.where(np.arange(50) == 7, np.inf, 1.0),
            ValueError,
            "^x must be finite; column 'bad' is inf in row 7; remove such rows or fill the gaps$",
        ),
        (
            np.where(np.arange(50) == 7, 1e300, 1.0),
            ValueError,
            r"^x must be finite; column 'bad' is 1e\+300 in row 7; too large for float32: rescale it, or build the "
            "model with dtype='float64'$",
        ),
    ],
    ids=["text", "time", "infinity", "overflow"],
)
def test_a_wrong_column_is_named(library, bad, error, message):
    frame, _ = library()
    trainer = gg.Trainer(gg.Sequential(gg.Dense(3)), "cross_entropy")
    with pytest.raises(error, match=message):
        trainer.fit(frame(table(bad=bad)), LABELS, verbose=0)
    assert trainer.model.input_shape is None


@pytest.mark.parametrize(("name", "where"), [(None, "it"), ("kind", "column 'kind'")])
def test_categories_as_targets_are_told_their_codes(name, where):
    pd = pytest.importorskip("pandas")
    y = pd.Series(10 * LABELS, name=name).astype("category")
    text = (
        f"y must hold real numbers; {where} is of dtype category; number its classes, y.cat.codes, or one-hot encode "
        "it, pd.get_dummies(y)"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        inputs.targets("y", y)
    np.testing.assert_array_equal(inputs.targets("y", y.cat.codes), LABELS)
    np.testing.assert_array_equal(inputs.targets("y", pd.get_dummies(y)), np.eye(3)[LABELS])


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_gap_is_named(library):
    frame, column = library()
    gap = [1.0] * 7 + [None] + [1.0] * 42
    if library is stand_in:
        gap = [np.nan if value is None else value for value in gap]
    message = "^x must have no gaps; column 'bad' has no value in row 7; remove such rows or fill the gaps$"
    with pytest.raises(ValueError, match=message):
        inputs.features("x", frame(table(bad=gap)), 5, "float32")
    with pytest.raises(ValueError, match=message.replace("x must", "y must")):
        inputs.targets("y", column("bad", gap))


def test_gaps_of_integers_are_named():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for column in (pd.Series([1, None], dtype="Int64", name="n"), pl.Series("n", [1, None])):
        with pytest.raises(ValueError, match=r"^y must have no gaps; column 'n' has no value in row 1"):
            inputs.targets("y", column)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_column_for_features_is_told_how_to_become_a_frame(library):
    _, column = library()
    with pytest.raises(
        ValueError, match=r"^x must have shape \(n, features\); given a column of 50; pass x.to_frame\(\)$"
    ):
        inputs.features("x", column("length", X[:, 0]), 1, "float32")


@pytest.mark.parametrize("library", LIBRARIES)
def test_names_of_classes_are_told_what_they_need(library):
    _, column = library()
    names = column("kind", np.array(["a", "b"] * 25, object))
    with pytest.raises(TypeError, match=r"^y must .* given text; .*np.unique\(y, return_inverse=True\)$"):
        inputs.targets("y", names)


def test_no_library_is_imported():
    code = "import sys, ganglion.frames; print([name for name in ('pandas', 'polars') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_is_no_table():
    for value in (X, [1], "x", None, np.ma.masked_invalid(X)):
        assert not frames.is_table(value)
