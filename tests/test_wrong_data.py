"""What people get wrong with data, files and functions, and all that they are told, word for word."""

import pickle
from pathlib import Path

import numpy as np
import pytest

import ganglion as gg
from ganglion import functional
from small_models import LABELS, VALUES, X, assert_said, classifier, regressor


def ending_in(units):
    return gg.Sequential(gg.Dense(units, input_shape=(4,)))


def fit(loss="cross_entropy", model=classifier, metrics=(), **options):
    return gg.Trainer(model(), loss, metrics=metrics).fit(**{"x": X, "y": LABELS, "verbose": 0, **options})


def gaps(array, value=np.nan):
    array = np.array(array, np.float64)
    array[3, ..., -1:] = value
    return array


def load(content):
    Path("model.safetensors").write_bytes(content)
    return gg.load("model.safetensors")


DATA = [
    (
        lambda: fit(x=gaps(X)),
        ValueError,
        "x[3, 3] is nan; every feature must be a finite number: remove the row or fill the gap",
    ),
    (
        lambda: fit(x=gaps(X, 1e300)),
        ValueError,
        'x[3, 3] is too large for float32; scale the feature, or build the model with dtype="float64"',
    ),
    (lambda: fit(x=X[:, :3]), ValueError, "x must have shape (n, 4), 4 being what the model takes; given (50, 3)"),
    (
        lambda: fit(x=X.T),
        ValueError,
        "x must have shape (n, 4), 4 being what the model takes; given (4, 50); if its columns are the samples, pass "
        "x.T",
    ),
    (
        lambda: classifier().predict(X[0]),
        ValueError,
        "x must have shape (n, 4), 4 being what the model takes; given (4,); for one sample pass x[None, :]",
    ),
    (
        lambda: fit(x=[[1, 2, 3, 4], [1, 2, 3]]),
        ValueError,
        "x must be a rectangular array, all rows of one length; x[0] has 4 and x[1] 3: cut or fill up the rows",
    ),
    (
        lambda: fit(x=X + 1j),
        TypeError,
        "x must be an array of real numbers; given ndarray of dtype complex64; convert it first, for instance with "
        "np.asarray(x, dtype=np.float32)",
    ),
    (
        lambda: fit(x=np.array([["a"] * 4] * 50)),
        TypeError,
        "x must be an array of real numbers; given ndarray of dtype <U1; convert it first, for instance with "
        "np.asarray(x, dtype=np.float32)",
    ),
    (
        lambda: fit(x=np.ma.masked_less(X, 0)),
        TypeError,
        "x must be an array of real numbers; given a masked array; pass x.filled(value) or the rows without masked "
        "entries",
    ),
    (lambda: fit(x=X[:0], y=LABELS[:0]), ValueError, "x must have at least one row; given (0, 4)"),
    (lambda: fit(x=X[:9]), ValueError, "x and y must have as many rows; x has 9, y has 50"),
    (lambda: fit(y=None), TypeError, "y is missing: give one target for each row; given None"),
    (
        lambda: fit(y=LABELS + 1),
        ValueError,
        "y must hold labels 0 to 2, as the model has 3 outputs; y[14] is 3; if yours start at 1, pass y - 1",
    ),
    (
        lambda: fit(y=LABELS - 1),
        ValueError,
        "y must hold labels 0 to 2, as the model has 3 outputs; y[1] is -1; classes count from 0: renumber them, or "
        "remove such rows",
    ),
    (
        lambda: fit(y=LABELS * 1e300),
        ValueError,
        "y must hold labels 0 to 2, as the model has 3 outputs; y[0] is 1e+300; renumber them, or use loss='mse' for "
        "values that are no classes",
    ),
    (
        lambda: fit(y=LABELS * -1e300),
        ValueError,
        "y must hold labels 0 to 2, as the model has 3 outputs; y[0] is -1e+300; classes count from 0: renumber them, "
        "or remove such rows",
    ),
    (
        lambda: fit(y=LABELS / 2),
        ValueError,
        "y must hold labels 0 to 2, as the model has 3 outputs; y[0] is 0.5, not a whole number: use loss='mse' for "
        "values that are no classes",
    ),
    (
        lambda: fit(y=np.array(["cat", "dog"] * 25)),
        TypeError,
        "y must be an array of real numbers; given text; number the classes first: names, labels = np.unique(y, "
        "return_inverse=True)",
    ),
    (
        lambda: fit(y=np.eye(4)[LABELS]),
        ValueError,
        "y must hold labels of shape (n,) or one-hot rows of shape (n, 3), as the model has 3 outputs; given (50, 4)",
    ),
    (
        lambda: fit(y=2 * np.eye(3)[LABELS]),
        ValueError,
        "y must hold one-hot rows or distributions; y[0] sums to 2, not 1; labels have shape (n,)",
    ),
    (
        lambda: fit("mse", regressor, y=LABELS),
        ValueError,
        "y must have the shape of the outputs, (n, 2); given (50,); for classes pass one-hot rows, np.eye(2)[y], or "
        "use loss='cross_entropy'",
    ),
    (
        lambda: fit("mse", regressor, y=gaps(VALUES)),
        ValueError,
        "y must be finite; y[3, 1] is nan; remove such rows or fill the gaps",
    ),
    (
        lambda: fit("mse", regressor, y=1e39 * VALUES.astype(float)),
        ValueError,
        "y must be finite; y[0, 0] is -5.646929740905761e+38; too large for float32: rescale it, or build the model "
        "with dtype='float64'",
    ),
    (
        lambda: fit("binary_cross_entropy", lambda: ending_in(1), y=2 * (LABELS > 0) - 1),
        ValueError,
        "y must hold 0 for no and 1 for yes, or probabilities; y[1] is -1; for -1 and 1 pass (y + 1) / 2",
    ),
    (
        lambda: fit("binary_cross_entropy", lambda: ending_in(1)),
        ValueError,
        "y must hold 0 for no and 1 for yes, or probabilities; y[14] is 2; for more than two classes end the model "
        "in Dense(classes) and use loss='cross_entropy'",
    ),
    (
        lambda: fit(sample_weight=np.ones(49)),
        ValueError,
        "sample_weight must have one weight a row, shape (50,); given (49,)",
    ),
    (lambda: fit(sample_weight=-np.ones(50)), ValueError, "sample_weight must be at least 0; sample_weight[0] is -1.0"),
    (
        lambda: fit(class_weight=[1.0, 5.0]),
        TypeError,
        "class_weight must be a dictionary like {0: 1.0, 1: 5.0}; given [1.0, 5.0]",
    ),
    (
        lambda: fit(class_weight={3: 2.0}),
        ValueError,
        "class_weight must have keys from 0 to 2, the model's classes; given 3",
    ),
    (
        lambda: fit("mse", regressor, y=VALUES, class_weight={0: 2.0}),
        ValueError,
        "class_weight needs classes: labels, one-hot rows, or 0 and 1 in one column; y holds other values: weigh the "
        "rows by sample_weight",
    ),
    (
        lambda: fit(x=iter([(X, LABELS)]), y=None, epochs=2),
        ValueError,
        "x is a list_iterator, which can be gone through only once, and 2 epochs were asked for: give an object "
        "whose __iter__ begins anew, or call fit once for each epoch with a new one",
    ),
    (
        lambda: fit(x=iter([(X, LABELS)])),
        TypeError,
        "x is an iterable of batches (x, y), which bring their targets: leave out y",
    ),
    (
        lambda: fit(x=iter([X]), y=None),
        TypeError,
        "batch 0 of epoch 0: a batch must be (x, y) or (x, y, sample_weight); given ndarray",
    ),
    (
        lambda: gg.data.mnist("nowhere"),
        FileNotFoundError,
        "nowhere: expected the folder of MNIST's four files, there is no such folder",
    ),
]
FILES = [
    (
        lambda: gg.load("nothing.safetensors"),
        FileNotFoundError,
        "[Errno 2] No such file or directory: 'nothing.safetensors'",
    ),
    (lambda: gg.load("."), IsADirectoryError, "[Errno 21] Is a directory: '.'"),
    (
        lambda: load(b"{}"),
        gg.errors.CheckpointError,
        "model.safetensors: not a safetensors file; it looks like plain JSON: give the .safetensors file that save() "
        "wrote",
    ),
    (
        lambda: load(pickle.dumps({"weights": 1})),
        gg.errors.CheckpointError,
        "model.safetensors: not a safetensors file; it looks like a pickle, which can run code and is therefore "
        "never opened: load it with the program that wrote it and save its arrays with the safetensors package",
    ),
    (
        lambda: load(b"PK\x03\x04" + bytes(60)),
        gg.errors.CheckpointError,
        "model.safetensors: not a safetensors file; it looks like a zip archive, as PyTorch, Keras and numpy.savez "
        "write: load it with the program that wrote it and save its arrays with the safetensors package",
    ),
    (
        lambda: load(b"\x89HDF\r\n\x1a\n" + bytes(60)),
        gg.errors.CheckpointError,
        "model.safetensors: not a safetensors file; it looks like an HDF5 file, as older versions of Keras write: "
        "load it with the program that wrote it and save its arrays with the safetensors package",
    ),
    (
        lambda: classifier().save("no/such/folder.safetensors"),
        FileNotFoundError,
        "[Errno 2] the directory to write to does not exist; make it first: '{folder}/no/such'",
    ),
]
FUNCTIONS = [
    (
        lambda: functional.cross_entropy_error(np.array([[2.0, -1.0]]), [0]),
        ValueError,
        "y must hold probabilities; y[0, 1] is -1.0: if these are logits, pass softmax(y)",
    ),
    (
        lambda: functional.cross_entropy_error(np.ones(3), np.ones(4)),
        ValueError,
        "t must hold one label or one-hot values of y's shape (3,); given (4,)",
    ),
    (
        lambda: functional.numerical_diff(3, 1.0),
        TypeError,
        "f must be a function, like lambda x: x**2; given 3 of type int",
    ),
    (
        lambda: functional.numerical_gradient(lambda x: x, np.ones(3)),
        ValueError,
        "f must return one number; given ndarray of shape (3,)",
    ),
    (
        lambda: functional.gradient_descent(sum, X[0], lr=-0.1),
        ValueError,
        "lr must be finite and > 0; given -0.1",
    ),
    (
        lambda: functional.relu(["a"]),
        TypeError,
        "x must be an array of real numbers; given list of dtype <U1; convert it first, for instance with "
        "np.asarray(x, dtype=np.float32)",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), [*DATA, *FILES, *FUNCTIONS])
def test_what_is_said(call, error, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_said(call, error, text.replace("{folder}", str(tmp_path)))
