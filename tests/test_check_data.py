"""What the pre-flight check says of features and targets, word for word."""

import numpy as np
import pytest

import ganglion as gg
from check_cases import BYTES, LABELS, RARELY, VALUES, YES, X, assert_found, check, regress
from ganglion import Dense

STANDARDIZE = (
    "standardize: mean, std = x.mean(axis=0), x.std(axis=0); x = (x - mean) / std, with the same mean and std for all "
    "data to come; or begin the model with BatchNormalization()"
)
STANDARDIZE_Y = "standardize: train on (y - mean) / std, and multiply predictions by std and add mean"
LOOK = "look at how y was read: np.unique(y, return_counts=True)"
RARE = "look at recall or F1 as well, or give fit a class_weight"

FINDINGS = [
    (
        lambda: check(x=np.where(X[7, 2] == X, np.nan, X)),
        "inputs",
        "error",
        "x must be finite; x[7, 2] is nan; remove such rows or fill the gaps",
        "",
    ),
    (
        lambda: check(x=np.where(X[7, 2] == X, -np.inf, X)),
        "inputs",
        "error",
        "x must be finite; x[7, 2] is -inf; remove such rows or fill the gaps",
        "",
    ),
    (
        lambda: check(x=np.where(X[7, 2] == X, 1e300, X.astype(float))),
        "inputs",
        "error",
        "x must be finite; x[7, 2] is 1e+300; too large for float32: rescale it, or build the model with "
        "dtype='float64'",
        "",
    ),
    (
        lambda: check(x=1000 * X),
        "inputs",
        "warning",
        "x is -3,332 to 3,323; all 4 columns are large, with a root mean square above 10",
        STANDARDIZE,
    ),
    (
        lambda: check(x=BYTES),
        "inputs",
        "warning",
        "x is 0 to 255; all 4 columns are large, with a root mean square above 10",
        "if these are the bytes of images, begin the model with Rescale(1/255), or pass x / 255",
    ),
    (
        lambda: check(gg.Rescale(20), Dense(16, "relu"), Dense(3)),
        "inputs",
        "warning",
        "x is -3.33 to 3.32, and after Rescale -66.6 to 66.5; all 4 columns are large, with a root mean square above "
        "10",
        STANDARDIZE,
    ),
    (
        lambda: check(x=X * [1, 1, 5000, 1]),
        "inputs",
        "warning",
        "x is -11,207 to 12,850; column 2 is large, with a root mean square above 10",
        STANDARDIZE,
    ),
    (
        lambda: check(x=X * [100, 1, 5000, 1]),
        "inputs",
        "warning",
        "x is -11,207 to 12,850; 2 of 4 columns (0, 2) are large, with a root mean square above 10",
        STANDARDIZE,
    ),
    (
        lambda: check(x=X / 1e4),
        "inputs",
        "warning",
        "x is -0.000333 to 0.000332; no column has a root mean square above 0.000105",
        "look whether x was scaled twice; else multiply it: (x - x.mean(axis=0)) / x.std(axis=0)",
    ),
    (
        lambda: check(x=X[0]),
        "inputs",
        "error",
        "x must have shape (n, features); given (4,); for samples of one feature pass x[:, None]",
        "",
    ),
    (
        lambda: check(Dense(3, input_shape=(5,))),
        "inputs",
        "error",
        "x must have shape (n, 5), 5 being what the model takes; given (200, 4)",
        "",
    ),
    (
        lambda: check(x=X[:0], y=LABELS[:0]),
        "inputs",
        "error",
        "x must have at least one row; given (0, 4)",
        "",
    ),
    (
        lambda: check(x=iter([(X, LABELS)]), y=None),
        "inputs",
        "error",
        "x is an iterable of batches: give check the arrays of one, like x, y = next(iter(batches))",
        "",
    ),
    (
        lambda: check(x=X.astype(str)),
        "inputs",
        "error",
        "x must be an array of real numbers; given ndarray of dtype <U32; convert it first, for instance with "
        "np.asarray(x, dtype=np.float32)",
        "",
    ),
    (
        lambda: check(x=X * [1, 0, 1, 1]),
        "constant features",
        "note",
        "in 1 of 4 columns of x (1) all rows are the same",
        "they teach nothing: fine for the borders of images, else leave them out or look at how they were read",
    ),
    (
        lambda: check(x=np.ones((200, 4))),
        "constant features",
        "warning",
        "all rows of x are the same: there is nothing to learn from",
        "look at how x was read: print(x[:5])",
    ),
    (
        lambda: check(y=None),
        "targets",
        "error",
        "y is missing: give one target for each row; given None",
        "",
    ),
    (
        lambda: check(y=LABELS[:9]),
        "targets",
        "error",
        "x and y must have as many rows; x has 200, y has 9",
        "",
    ),
    (
        lambda: check(y=LABELS + 1),
        "targets",
        "error",
        "y must hold labels 0 to 2, as the model has 3 outputs; y[6] is 3; if yours start at 1, pass y - 1",
        "",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(4), y=LABELS + 1),
        "targets",
        "warning",
        "no row is of class 0, but classes count from 0, and the model has 4 outputs",
        "if yours start at 1, pass y - 1 and end in Dense(3)",
    ),
    (
        lambda: check(y=LABELS - 1),
        "targets",
        "error",
        "y must hold labels 0 to 2, as the model has 3 outputs; y[0] is -1; classes count from 0: renumber them, or "
        "remove such rows",
        "",
    ),
    (
        lambda: check(y=LABELS / 2),
        "targets",
        "error",
        "y must hold labels 0 to 2, as the model has 3 outputs; y[2] is 0.5, not a whole number: use loss='mse' for "
        "values that are no classes",
        "",
    ),
    (
        lambda: check(y=LABELS.astype(float)),
        "targets",
        "note",
        "y holds whole numbers as float64, which are taken for classes 0 to 2",
        "for measurements use loss='mse' and end the model in Dense(1)",
    ),
    (
        lambda: check(y=np.array(["cat", "dog"] * 100)),
        "targets",
        "error",
        "y must be an array of real numbers; given text; number the classes first: names, labels = np.unique(y, "
        "return_inverse=True)",
        "",
    ),
    (
        lambda: check(y=np.eye(4)[LABELS]),
        "targets",
        "error",
        "y must hold labels of shape (n,) or one-hot rows of shape (n, 3), as the model has 3 outputs; given (200, 4)",
        "",
    ),
    (
        lambda: check(y=np.full(200, 1)),
        "targets",
        "warning",
        "all rows are of class 1: a model learns to say that and nothing else",
        LOOK,
    ),
    (
        lambda: check(y=RARELY),
        "targets",
        "note",
        "no row is of class 2; the model has 3 outputs",
        "give the last layer as many units as there are classes to come",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(5)),
        "targets",
        "note",
        "no row is of classes 3, 4; the model has 5 outputs",
        "give the last layer as many units as there are classes to come",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(2), y=RARELY),
        "targets",
        "note",
        "class 0 has 90 % of the rows: always saying it has that accuracy",
        RARE,
    ),
    (
        lambda: regress(y=LABELS),
        "targets",
        "note",
        "y holds 3 different whole numbers, 0 to 2, which look like classes",
        "if they are, end the model in Dense(3) and use loss='cross_entropy'",
    ),
    (
        lambda: regress(y=YES),
        "targets",
        "note",
        "y holds 2 different whole numbers, 0 to 1, which look like classes",
        "if they mean no and yes, use loss='binary_cross_entropy'",
    ),
    (
        lambda: regress(Dense(16, "relu"), Dense(3), y=np.eye(3)[LABELS]),
        "targets",
        "note",
        "y holds one-hot rows, which are classes; the loss takes them for 3 measurements",
        "end the model in Dense(classes) and use loss='cross_entropy'",
    ),
    (
        lambda: regress(y=np.where(VALUES[5] == VALUES, np.nan, VALUES)),
        "targets",
        "error",
        "y must be finite; y[5, 0] is nan; remove such rows or fill the gaps",
        "",
    ),
    (
        lambda: regress(y=1e5 * VALUES),
        "targets",
        "warning",
        "y is -660,307 to 636,906, with a root mean square of 248,893: the weights have a long way to go",
        STANDARDIZE_Y,
    ),
    (
        lambda: regress(y=1e-5 * VALUES),
        "targets",
        "warning",
        "y is -6.6e-05 to 6.37e-05, with a root mean square of 2.49e-05: the loss is tiny from the start",
        STANDARDIZE_Y,
    ),
    (
        lambda: regress(y=np.full(200, 3.0)),
        "targets",
        "warning",
        "y is 3 in all rows: a model learns to say that and nothing else",
        LOOK,
    ),
    (
        lambda: regress(Dense(16, "relu"), Dense(2), y=np.column_stack([VALUES, np.zeros(200)])),
        "targets",
        "note",
        "column 1 of y is 0 in all rows: a model learns to say that and nothing else",
        LOOK,
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(2), loss="binary_cross_entropy", y=np.column_stack([np.ones(200), YES])),
        "targets",
        "note",
        "column 0 of y is 1 in all rows: a model learns to say that and nothing else",
        LOOK,
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(1), loss="binary_cross_entropy", y=YES + 1),
        "targets",
        "error",
        "y must hold 0 for no and 1 for yes, or probabilities; y[2] is 2; if 2 means yes and 1 no, pass np.equal(y, 2)",
        "",
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(1), loss="binary_cross_entropy", y=np.ones(200)),
        "targets",
        "warning",
        "y is 1 in all rows: a model learns to say that and nothing else",
        LOOK,
    ),
    (
        lambda: check(Dense(16, "relu"), Dense(1), loss="binary_cross_entropy", y=RARELY),
        "targets",
        "note",
        "90 % of the rows say no: always saying no has that accuracy",
        RARE,
    ),
    (
        lambda: check(x=X[np.argsort(LABELS, kind="stable")], y=np.sort(LABELS)),
        "order",
        "note",
        "the rows are sorted by class, and the last ones are all of class 2",
        "fit shuffles, but validation_split takes the last rows: shuffle first, with order = "
        "np.random.default_rng(0).permutation(len(x)); x, y = x[order], y[order]",
    ),
    (
        lambda: check(x=np.repeat(X[:100], 2, axis=0)),
        "equal rows",
        "note",
        "of 200 rows looked at, 118 have another with the same x and another y",
        "no model can be right on all of them: look whether the rows of x and y belong together",
    ),
]


@pytest.mark.parametrize(("call", "name", "level", "message", "remedy"), FINDINGS)
def test_what_is_said(call, name, level, message, remedy):
    assert_found(call(), name, level, message, remedy)
