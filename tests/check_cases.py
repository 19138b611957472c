"""Data, models and the check of them, for the tests of the pre-flight check."""

import numpy as np

import ganglion as gg
from ganglion import Dense

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(200, 4)).astype(np.float32)
LABELS = (X[:, 0] + X[:, 1] > 0).astype(np.int64) + (X[:, 2] > 1)
VALUES = (X @ [[1.0], [-1.0], [2.0], [0.5]]).astype(np.float32)
YES = (LABELS > 0).astype(np.int64)
RARELY = (np.arange(200) % 10 == 0).astype(np.int64)
BYTES = np.abs(90 * X).clip(0, 255).astype(np.uint8)


def check(*layers, loss="cross_entropy", optimizer="adam", x=X, y=LABELS, **options):
    model = gg.Sequential(*(layers or (Dense(16, "relu"), Dense(3))), seed=1)
    return gg.Trainer(model, loss, optimizer, **options).check(x, y, verbose=False)


def regress(*layers, y=VALUES, **options):
    return check(*(layers or (Dense(16, "relu"), Dense(1))), loss="mse", y=y, **options)


def found(result, name):
    """The one finding of this name."""
    (finding,) = (each for each in result.findings if each.name == name)
    return finding


def assert_found(result, name, level, message, remedy):
    """That this is what is said, and counts."""
    finding = found(result, name)
    assert (finding.level, finding.message, finding.remedy) == (level, message, remedy)
    assert not result.ok or level == "note"
