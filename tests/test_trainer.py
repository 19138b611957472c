"""Trainer: what fit, evaluate and train_on_batch do to weights, history and the trainer itself."""

import numpy as np
import pytest

import ganglion as gg
from small_models import LABELS, RANDOM, VALUES, X, assert_same, classifier, regressor, weights_after


def test_history():
    trainer = gg.Trainer(classifier(), "cross_entropy", metrics=["accuracy"])
    history = trainer.fit(X, LABELS, epochs=5, batch_size=16, validation_split=0.2, verbose=0)
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert {len(values) for values in history.history.values()} == {5}
    assert {type(value) for values in history.history.values() for value in values} == {float}
    assert history.epoch == [0, 1, 2, 3, 4]
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert history.seconds > 0
    assert history.report.steps == 3  # 40 rows, one epoch a run
    held_out = trainer.evaluate(X[40:], LABELS[40:])
    assert held_out == {"loss": history.history["val_loss"][-1], "accuracy": history.history["val_accuracy"][-1]}
    assert repr(history).startswith("History(5 epochs in ")
    assert f"val_accuracy {held_out['accuracy']:.4g})" in repr(history)


def test_epochs_are_one_run_where_nobody_waits_for_their_ends():
    history = gg.Trainer(classifier(), "cross_entropy").fit(X, LABELS, epochs=6, batch_size=20, verbose=0)
    assert history.report.steps == 18
    assert len(history.history["loss"]) == 6


def test_a_long_history_that_nobody_reads_is_whole():
    seen = []
    history = gg.Trainer(classifier(), "cross_entropy").fit(
        X, LABELS, epochs=150, callbacks=[lambda epoch, logs: seen.append((epoch, logs["loss"]))], verbose=0
    )
    assert list(zip(history.epoch, history.history["loss"], strict=True)) == seen
    assert len(seen) == 150


def test_a_series_of_ones_own_makes_no_epochs():
    history = gg.Trainer(classifier(), "cross_entropy").fit(X, LABELS, epochs=2, verbose=0)
    history.history["rate of each step"] = [0.1, 0.1, 0.1, 0.1]
    assert history.epoch == [0, 1]


@pytest.mark.parametrize("optimizer", ["adam", gg.SGD(0.1, momentum=0.9), gg.SGD(gg.LinearDecay(0.1, 0.0, 12))])
@pytest.mark.parametrize(
    "fits",
    [
        [{"epochs": 1}, {"epochs": 3}],
        [{"epochs": 1}] * 4,
        [{"epochs": 4, "verbose": 2}],
        [{"epochs": 4, "verbose": 1}],
        [{"epochs": 4, "validation_data": (X, LABELS)}],
        [{"epochs": 4, "validation_data": (X, np.eye(3)[LABELS])}],
        [{"epochs": 2}, {"epochs": 0}, {"epochs": 2}],
    ],
    ids=["1+3", "1+1+1+1", "verbose 2", "verbose 1", "validation", "one-hot validation", "2+0+2"],
)
def test_the_bits_do_not_depend_on_how_the_epochs_are_cut(optimizer, fits):
    once = weights_after(classifier(), {"epochs": 4, "batch_size": 20}, optimizer=optimizer)
    assert_same(once, weights_after(classifier(), *({"batch_size": 20} | fit for fit in fits), optimizer=optimizer))


@pytest.mark.parametrize(
    "target", [LABELS.tolist(), LABELS[:, None], LABELS.astype(float), np.eye(3, dtype=bool)[LABELS]]
)
def test_targets_of_one_meaning_give_the_same_bits(target):
    once = weights_after(classifier(), {"epochs": 3})
    assert_same(once, weights_after(classifier(), {"epochs": 3}, y=target))


def test_moments_survive_a_change_of_the_kind_of_targets():
    trainer = gg.Trainer(classifier(), "cross_entropy", "adam")
    for y in (LABELS, np.eye(3)[LABELS], LABELS):
        trainer.fit(X, y, verbose=0)
    assert_same(weights_after(classifier(), {"epochs": 3}), trainer.model.get_weights())


def test_targets_of_one_column_match_one_output():
    one = weights_after(regressor(1), {"epochs": 2}, loss="mse", y=VALUES[:, 0])
    other = weights_after(regressor(1), {"epochs": 2}, loss="mean_squared_error", y=VALUES[:, :1])
    assert_same(one, other)


def test_shuffle():
    still = weights_after(classifier(), {"epochs": 2, "shuffle": False})
    assert_same(still, weights_after(classifier(), {"epochs": 2, "shuffle": False}))
    shuffled = weights_after(classifier(seed=0), {"epochs": 2})
    assert not np.array_equal(still[0], shuffled[0])
    assert_same(shuffled, weights_after(classifier(seed=0), {"epochs": 2}))


def test_a_batch_larger_than_the_data_is_all_of_it():
    assert_same(weights_after(classifier(), {"batch_size": 10**9}), weights_after(classifier(), {"batch_size": 50}))


def test_the_last_rows_are_held_out():
    split = classifier()
    gg.Trainer(split, "cross_entropy").fit(X, LABELS, epochs=2, validation_split=0.3, verbose=0)
    alone = classifier()
    gg.Trainer(alone, "cross_entropy").fit(X[:35], LABELS[:35], epochs=2, verbose=0)
    assert_same(alone.get_weights(), split.get_weights())


def test_fit_makes_the_sizes_of_an_open_model():
    model = gg.Sequential(gg.Dense(8, "tanh"), gg.Dense(3))
    assert_same(weights_after(classifier(), {}), weights_after(model, {}))
    assert model.input_shape == (4,)


def on_a_team(threads):
    """Weights and report after an epoch of a thousand rows in one batch."""
    trainer = gg.Trainer(classifier(), "cross_entropy", threads=threads)
    history = trainer.fit(np.tile(X, (20, 1)), np.tile(LABELS, 20), batch_size=1000, verbose=0)
    return trainer.model.get_weights(), history.report


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads(threads):
    weights, report = on_a_team(threads)
    assert report.team == threads
    assert_same(on_a_team(None)[0], weights)


def test_evaluate_cross_entropy():
    model = classifier(dtype="float64")
    z = model.predict(X)
    log_p = z - z.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    trainer = gg.Trainer(model, gg.CrossEntropy(), metrics=("accuracy",))
    for y in (LABELS, np.eye(3)[LABELS]):
        result = trainer.evaluate(X, y)
        assert result["loss"] == pytest.approx(-log_p[np.arange(50), LABELS].mean(), rel=1e-12)
        assert result["accuracy"] == pytest.approx((z.argmax(axis=1) == LABELS).mean(), rel=1e-12)


def test_a_final_softmax_is_not_applied_twice():
    with_softmax = gg.Sequential(gg.Dense(8, "tanh", input_shape=(4,)), gg.Dense(3, "softmax"))
    assert_same(weights_after(classifier(), {"epochs": 2}), weights_after(with_softmax, {"epochs": 2}))
    as_layer = gg.Sequential(gg.Dense(8, "tanh", input_shape=(4,)), gg.Dense(3), gg.Softmax())
    losses = [gg.Trainer(model, "cross_entropy").evaluate(X, LABELS) for model in (with_softmax, as_layer)]
    assert losses[0] != losses[1]  # one is trained
    assert losses[1] == gg.Trainer(classifier(), "cross_entropy").evaluate(X, LABELS)


@pytest.mark.parametrize("outputs", [1, 2])
def test_evaluate_mean_squared_error(outputs):
    model = regressor(outputs, dtype="float64")
    result = gg.Trainer(model, "mse", metrics=["accuracy"]).evaluate(X, VALUES[:, :outputs])
    z = model.predict(X)
    assert result["loss"] == pytest.approx(((z - VALUES[:, :outputs]) ** 2).mean(), rel=1e-12)
    classes, targets = z.argmax(axis=1), VALUES.argmax(axis=1)
    if outputs == 1:
        classes, targets = z[:, 0] > 0.5, VALUES[:, 0] > 0.5
    assert result["accuracy"] == pytest.approx((classes == targets).mean(), rel=1e-12)


def test_evaluate_changes_nothing():
    model = classifier()
    before = model.get_weights()
    trainer = gg.Trainer(model, "cross_entropy")
    trainer.evaluate(X, LABELS)
    trainer.evaluate(X, np.eye(3)[LABELS])
    assert_same(before, model.get_weights())
    trainer.fit(X, LABELS, verbose=0)
    assert_same(weights_after(classifier(), {}), model.get_weights())


def test_train_on_batch_is_a_step():
    trainer = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.1))
    before = trainer.evaluate(X, LABELS)["loss"]
    loss = trainer.train_on_batch(X, LABELS)
    assert type(loss) is float
    assert loss == pytest.approx(before, rel=1e-6)
    assert trainer.evaluate(X, LABELS)["loss"] < before
    once = weights_after(classifier(), {"batch_size": 50, "shuffle": False}, optimizer=gg.SGD(0.1))
    assert_same(once, trainer.model.get_weights())


def test_train_on_batch_leaves_the_order_of_later_epochs_alone():
    def trainer_of(weights):
        trainer = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.1))  # without moments
        trainer.model.set_weights(weights)
        return trainer

    one = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.1))
    for _ in range(3):
        one.train_on_batch(X, LABELS)
    weights = one.model.get_weights()
    fresh, later = trainer_of(weights), trainer_of(weights)
    later.fit(X, LABELS, verbose=0)
    later.model.set_weights(weights)
    for trainer in (one, fresh, later):
        trainer.fit(X, LABELS, epochs=2, batch_size=8, verbose=0)
    assert_same(fresh.model.get_weights(), one.model.get_weights())
    assert not np.array_equal(later.model.get_weights()[0], one.model.get_weights()[0])  # the epoch's number matters


def test_the_latest_history_is_kept():
    trainer = gg.Trainer(classifier(), "cross_entropy")
    assert trainer.history is None
    history = trainer.fit(X, LABELS, epochs=2, verbose=0)
    assert trainer.history is history
    x = X.copy()
    x[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"x\[3, 1\] is "):
        trainer.fit(x, LABELS, verbose=0)
    assert trainer.history is history


def test_epochs_have_a_name():
    with pytest.raises(TypeError, match=r"^fit takes x and y by position .* like epochs=5; given 7$"):
        gg.Trainer(classifier(), "cross_entropy").fit(X, LABELS, 7)


def test_a_model_has_no_other_names():
    with pytest.raises(AttributeError, match=r"^'Sequential' object has no attribute 'fitt'"):
        classifier().fitt  # noqa: B018


def test_predict_is_the_model_s():
    trainer = gg.Trainer(classifier(), "cross_entropy", threads=1)
    np.testing.assert_array_equal(trainer.predict(X), trainer.model.predict(X))


def test_plain_sgd_is_the_formula():
    x, y = np.array([[2.0]]), np.array([3.0])
    model = gg.Sequential(gg.Dense(1, kernel_initializer="zeros", input_shape=(1,)), dtype="float64")
    gg.Trainer(model, "mse", gg.SGD(0.25, weight_decay=0.5)).fit(x, y, epochs=2, verbose=0)
    w = b = 0.0
    for _ in range(2):
        d = 2 * (2 * w + b - 3)
        w, b = w - 0.25 * (2 * d + 0.5 * w), b - 0.25 * (d + 0.5 * b)
    assert model.parameters()[0].item() == w
    assert model.parameters()[1].item() == b


def test_uint8_is_taken():
    x = RANDOM.integers(0, 255, size=(20, 4), dtype=np.uint8)
    trainers = [gg.Trainer(regressor(1), "mse") for _ in range(2)]
    for trainer, given in zip(trainers, (x, x.astype(np.float32)), strict=True):
        trainer.fit(given, np.arange(20), verbose=0)
    assert_same(trainers[0].model.get_weights(), trainers[1].model.get_weights())


def test_repr():
    trainer = gg.Trainer(classifier(), "mse", gg.SGD(0.5), ["accuracy"])
    assert repr(trainer).endswith("), MeanSquaredError(), SGD(learning_rate=0.5), metrics=['accuracy'], threads=None)")


@pytest.mark.parametrize("batch_size", [16, 50])
def test_initial_epoch_goes_on_where_another_fit_ended(batch_size):
    """With the shuffles of these epochs, in the same trainer or in one that got the weights alone."""
    fit = {"batch_size": batch_size}
    once = weights_after(classifier(), {"epochs": 5, **fit}, optimizer=gg.SGD(0.1))
    again = weights_after(
        classifier(), {"epochs": 3, **fit}, {"epochs": 5, "initial_epoch": 3, **fit}, optimizer=gg.SGD(0.1)
    )
    assert_same(once, again)
    other = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.1))
    other.model.set_weights(weights_after(classifier(), {"epochs": 3, **fit}, optimizer=gg.SGD(0.1)))
    history = other.fit(X, LABELS, epochs=5, initial_epoch=3, verbose=0, **fit)
    assert history.epoch == [3, 4]
    assert_same(once, other.model.get_weights())
    assert other.fit(X, LABELS, epochs=5, initial_epoch=5, verbose=0).epoch == []


def test_initial_epoch_is_what_progress_begins_with(capsys):
    gg.Trainer(classifier(), "cross_entropy").fit(X, LABELS, epochs=10, initial_epoch=8, verbose=2)
    assert [line.split("  loss")[0] for line in capsys.readouterr().out.splitlines()] == ["epoch  9/10", "epoch 10/10"]


def test_memory_mapped_files_are_read_in_place(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", LABELS)
    model = classifier()
    trainer = gg.Trainer(model, "cross_entropy")
    x, y = (np.load(tmp_path / name, mmap_mode="r") for name in ("x.npy", "y.npy"))
    trainer.fit(x, y, epochs=2, validation_split=0.2, verbose=0)
    assert_same(weights_after(classifier(), {"epochs": 2, "validation_split": 0.2}), model.get_weights())


def test_no_epochs():
    history = gg.Trainer(classifier(), "cross_entropy", metrics=["accuracy"]).fit(X, LABELS, epochs=0)
    assert history.history == {"loss": [], "accuracy": []}
    assert (history.epoch, history.report) == ([], None)
    assert repr(history).startswith("History(0 epochs in ")


def test_plot_draws_the_curves():
    pytest.importorskip("matplotlib").use("agg")
    history = gg.Trainer(classifier(), "cross_entropy").fit(X, LABELS, epochs=2, validation_split=0.2, verbose=0)
    (panel,) = history.plot()
    drawn = [line.get_ydata().tolist() for line in panel.lines]
    assert history.history["loss"] in drawn
    assert history.history["val_loss"] in drawn


@pytest.mark.parametrize("use", ["fit", "train_on_batch", "evaluate"])
def test_layers_added_later_need_a_new_trainer(use):
    x, y = np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)
    model = gg.Sequential(gg.Dense(1, input_shape=(2,)))
    trainer = gg.Trainer(model, "mse")
    trainer.train_on_batch(x, y)
    model.add(gg.ReLU())
    with pytest.raises(RuntimeError, match="layers were added to the model after this trainer had seen it: make a new"):
        getattr(trainer, use)(x, y)
    gg.Trainer(model, "mse").train_on_batch(x, y)
