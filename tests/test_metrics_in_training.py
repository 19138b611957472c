"""Metrics through the doors: what they are called, what does not fit, and what a person sees while an epoch runs."""

import math

import numpy as np
import pytest

import ganglion as gg
from ganglion import _ganglion_core as core
from ganglion import reference
from run_cases import network, training
from small_models import LABELS, VALUES, X, classifier, regressor

CONTEXT = core.Context(None, 2)


def test_every_metric_in_a_training():
    trainer = gg.Trainer(
        regressor(1),
        "mse",
        metrics=["accuracy", gg.metrics.Precision(0.25), "recall", "f1_score", "roc_auc", "mae", "mse", "r2_score"],
    )
    y = (VALUES[:, 0] > 0).astype(float)
    history = trainer.fit(X, y, epochs=3, batch_size=16, validation_split=0.2, verbose=0)
    names = ["loss", "accuracy", "precision", "recall", "f1", "auc", "mae", "mse", "r2"]
    assert list(history.history) == [*names, *(f"val_{name}" for name in names)]
    assert history.history["mse"] == pytest.approx(history.history["loss"], rel=1e-6)
    result = trainer.evaluate(X, y)
    outputs = trainer.predict(X).astype(float)
    assert list(result) == names
    for name in names[1:]:
        options = {"threshold": 0.25} if name == "precision" else {}
        expected = reference.METRICS[name](outputs, y[:, None], **options)
        assert result[name] == pytest.approx(expected, rel=1e-6), name


def test_the_k_of_a_metric_is_in_its_name():
    trainer = gg.Trainer(
        classifier(), "cross_entropy", metrics=[gg.metrics.TopKAccuracy(1), gg.metrics.TopKAccuracy(2), "accuracy"]
    )
    result = trainer.evaluate(X, LABELS)
    assert list(result) == ["loss", "top_1_accuracy", "top_2_accuracy", "accuracy"]
    assert result["top_1_accuracy"] == result["accuracy"] < result["top_2_accuracy"]


@pytest.mark.parametrize(
    ("model", "loss", "metric", "y", "message"),
    [
        (
            classifier,
            "cross_entropy",
            "mae",
            LABELS,
            "metric 'mae' compares numbers, and the targets are class labels; give",
        ),
        (
            classifier,
            "cross_entropy",
            "r2",
            LABELS,
            "metric 'r2' compares numbers, and the targets are class labels; .*one-hot",
        ),
        (
            classifier,
            "cross_entropy",
            "auc",
            LABELS,
            "metric 'auc' needs one output, or one for each of two classes; .* 3 outp",
        ),
        (
            classifier,
            "cross_entropy",
            "top_k_accuracy",
            LABELS,
            "with k = 5 needs more classes than that; the network has 3",
        ),
        (
            regressor,
            "mse",
            gg.metrics.TopKAccuracy(2),
            VALUES,
            "with k = 2 needs more classes than that; the network has 2 ou",
        ),
        (
            lambda: regressor(1),
            "mse",
            gg.metrics.TopKAccuracy(1),
            VALUES[:, 0],
            "with k = 1 .*; the network has 1 output$",
        ),
    ],
)
def test_a_metric_that_does_not_fit(model, loss, metric, y, message):
    trainer = gg.Trainer(model(), loss, metrics=[metric])
    before = trainer.model.get_weights()
    for action in (trainer.fit, trainer.evaluate):
        with pytest.raises(ValueError, match=message):
            action(X, y)
    np.testing.assert_array_equal(trainer.model.get_weights()[0], before[0])


def test_what_is_not_known_yet_is_not_shown(capsys):
    y = (VALUES[:, 0] > 0).astype(float)
    trainer = gg.Trainer(regressor(1), "mse", metrics=["mae", "auc"])
    trainer.fit(X, y, verbose=2)
    assert " auc 0." in capsys.readouterr().out
    seen = []
    x, targets = np.tile(X, (400, 1)), np.tile(y, 400).astype(np.float32)[:, None]
    run = training(network([4, 9, 1]), loss="mse", metrics=["mae", "auc"])
    report = run.run(
        CONTEXT,
        core.Feed(x, None, targets),
        batch_size=1,
        steps=10**6,
        shuffle=True,
        stop=lambda *now: seen.append(now) or True,
    )
    assert report.stopped
    (_, _, _, (error, area)) = seen[0]
    assert error > 0
    assert math.isnan(area)
    run.begin_epoch()
    report = run.run(CONTEXT, core.Feed(x, None, targets), batch_size=100, steps=10, shuffle=True)
    assert 0 < report.running[2] <= 1  # known by now
    bar = gg.trainer.Progress(
        True, epochs=1, rows=10, batch_size=1, names=["loss", "auc"], clock=iter(range(9)).__next__
    )
    bar.stop(0, 5, 0.5, (math.nan,))
    assert "auc" not in capsys.readouterr().out
