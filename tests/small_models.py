"""Fifty rows, targets for them, and models that are quick to train on them."""

import re

import numpy as np
import pytest

import ganglion as gg

RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(50, 4)).astype(np.float32)
LABELS = (X[:, 0] + X[:, 1] > 0).astype(np.int64) + (X[:, 2] > 1)
VALUES = (X @ [[1.0, 0.5], [-1.0, 0.0], [0.0, 2.0], [0.3, -0.3]]).astype(np.float32)


def classifier(**options):
    return gg.Sequential(gg.Dense(8, "tanh", input_shape=(4,)), gg.Dense(3), **options)


def regressor(outputs=2, **options):
    return gg.Sequential(gg.Dense(8, "tanh", input_shape=(4,)), gg.Dense(outputs), **options)


def weights_after(model, *fits, optimizer="adam", loss="cross_entropy", y=LABELS):
    trainer = gg.Trainer(model, loss, optimizer)
    for options in fits:
        trainer.fit(X, y, **{"verbose": 0, **options})
    return model.get_weights()


def assert_same(weights, others):
    for one, other in zip(weights, others, strict=True):
        np.testing.assert_array_equal(one, other)


def assert_said(call, error, text):
    """That a call raises this very type with this very text."""
    with pytest.raises(error, match=f"^{re.escape(text)}$") as caught:
        call()
    assert type(caught.value) is error


def after_import(text):
    """What an expression means after ``from ganglion import *``."""
    names = {}
    exec("from ganglion import *", names)
    return eval(text, names)
