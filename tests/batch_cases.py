"""Batches in the forms that users have them, by whether the core reads them as they are, and trainers for them."""

import numpy as np

import ganglion as gg
from small_models import LABELS, VALUES, X, classifier, regressor

ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]
F64 = np.float64

# What `train_on_batch` may be given, by the loss: all of these are read as they are.
READ_AS_THEY_ARE = {
    "float32": ("mse", X, VALUES),
    "float64": ("mse", X.astype(F64), VALUES.astype(F64)),
    "uint8": ("mse", (X * 9).astype(np.uint8), VALUES),
    "rows with gaps": ("mse", np.repeat(X, 2, axis=0)[::2], np.repeat(VALUES, 3, axis=1)[:, ::3]),
    "columns of Fortran": ("mse", X, np.asfortranarray(VALUES)),
    "int64 labels": ("cross_entropy", X, LABELS),
    "int32 labels": ("cross_entropy", X, LABELS.astype(np.int32)),
    "uint8 labels": ("cross_entropy", X, LABELS.astype(np.uint8)),
    "labels of a column": ("cross_entropy", X, LABELS[:, None]),
    "every other label": ("cross_entropy", X, np.repeat(LABELS, 2)[::2]),
    "one-hot": ("cross_entropy", X, ONE_HOT),
}
# These need a conversion, which makes the same step.
CONVERTED = {
    "lists": ("mse", X.tolist(), VALUES.tolist()),
    "float16": ("mse", X.astype(np.float16), VALUES),
    "Fortran": ("mse", np.asfortranarray(X), VALUES),
    "big-endian": ("mse", X.astype(">f4"), VALUES.astype(">f8")),
    "backwards": ("mse", X[::-1], VALUES),
    "whole floats": ("cross_entropy", X, LABELS.astype(np.float32)),
    "int16 labels": ("cross_entropy", X, LABELS.astype(np.int16)),
    "integers as values": ("mse", X, (VALUES * 4).astype(np.int64)),
}


def trainer_of(loss, **options):
    metrics = ["accuracy"] if loss == "cross_entropy" else ["mae"]
    model = classifier(seed=3) if loss == "cross_entropy" else regressor(seed=3)
    return gg.Trainer(model, loss, gg.Adam(0.01), metrics=metrics, **options)
