"""Functions of one's own as losses, and what is said of those that give something else."""

import numpy as np
import pytest

import ganglion as gg
from small_models import VALUES, X, assert_said, assert_same, regressor


def squares(y_pred, y_true):
    """½ Σ (y - t)² of each row, and its derivative."""
    return ((y_pred - y_true) ** 2).sum(axis=1) / 2, y_pred - y_true


def test_a_function_trains_like_the_core_s_own():
    results = []
    for loss in (squares, "sum_squares_error"):
        trainer = gg.Trainer(regressor(dtype="float64"), loss, gg.SGD(0.05))
        history = trainer.fit(X, VALUES, epochs=5, batch_size=16, sample_weight=np.linspace(0, 2, 50), verbose=0)
        results.append([*history.history["loss"], trainer.evaluate(X, VALUES)["loss"]])
    np.testing.assert_allclose(*results, rtol=1e-12)
    assert repr(gg.Trainer(regressor(), squares).loss) == "squares"


PAIR = (
    "must return a pair, the loss of each row (n,) and its derivative by y_pred (n, outputs); it returned one of type "
)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda pair: pair[0].mean(), TypeError, f"wrong {PAIR}float32: nothing is differentiated by itself"),
        (lambda pair: pair[1], TypeError, f"wrong {PAIR}ndarray: nothing is differentiated by itself"),
        (
            lambda pair: (pair[0].mean(), pair[1]),
            ValueError,
            "wrong(y_pred, y_true)[0] must return shape (50,), a value for each row; it returned ()",
        ),
        (
            lambda pair: (pair[0], pair[1][:, :1]),
            ValueError,
            "wrong(y_pred, y_true)[1] must return shape (50, 2), a value for each output of each row; it returned "
            "(50, 1)",
        ),
    ],
)
def test_a_loss_function_that_gives_something_else(change, error, text):
    def wrong(y_pred, y_true):
        return change(squares(y_pred, y_true))

    model = regressor()
    before = model.get_weights()
    model.compile("sgd", wrong)
    assert_said(lambda: model.fit(X, VALUES, batch_size=50, verbose=0), error, text)
    assert_same(model.get_weights(), before)
