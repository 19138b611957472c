"""Runs a beginner's script and returns what the library answers."""

import contextlib
import io

import numpy as np

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(100, 4)).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
PRICES = np.round(X @ np.array([1.0, -1.0, 2.0, 0.5]), 3)

BEGINNING = """
import numpy as np
import ganglion as gg
from ganglion import nn, optim
from ganglion import functional as F
"""


def answer(script):
    """The last line of Python's traceback, or, where nothing is raised, all that is printed, in one line."""
    data = {"x": X.copy(), "labels": LABELS.copy(), "prices": PRICES.copy()}
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(BEGINNING + script, data)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return " ".join(printed.getvalue().split())
