"""A monitor's numbers against NumPy's, its warnings, and that nothing but time is different with it."""

import copy
import re
import warnings

import numpy as np
import pytest

import ganglion as gg
from bits import assert_same_bits
from ganglion import _ganglion_core as core
from ganglion.errors import TrainingDivergedError, TrainingWarning
from ganglion.monitor import QUANTITIES
from run_cases import PLANS, SETS, data, network, training

RANDOM = np.random.default_rng(5)
X = RANDOM.standard_normal((96, 6))
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
DTYPES = ("float32", "float64")


def trainer_of(*layers, loss="cross_entropy", optimizer="sgd", dtype="float64", **options):
    return gg.Trainer(gg.Sequential(*layers, seed=2, dtype=dtype), loss, optimizer, **options)


def small(activation="relu", **options):
    layers = (gg.Dense(8, activation, input_shape=(6,)), gg.Dense(5, "tanh"), gg.Dense(3))
    return trainer_of(*layers, **options)


def norm(*arrays):
    return float(np.sqrt(sum(np.sum(np.square(array)) for array in arrays)))


def expected(trainer, rows):
    """The looks at one step on these rows, through the loop that PyTorch's users write."""
    from ganglion import nn

    model = trainer.model
    before = [w.copy() for w in model.get_weights()]
    outputs = [gg.Sequential(*model.layers[: n + 1], dtype=model.dtype) for n in range(3)]
    for number, part in enumerate(outputs):
        part.build((6,))
        part.set_weights(before[: 2 * (number + 1)])
    h = [part.predict(X[rows]) for part in outputs]
    twin = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 3), dtype=model.dtype)
    twin.load_state_dict({k: w.T for k, w in zip(twin.state_dict(), before, strict=True)})
    nn.CrossEntropyLoss()(twin(X[rows]), LABELS[rows]).backward()
    gradients = [p.grad for p in twin.parameters()]
    trainer.train_on_batch(X[rows], LABELS[rows])
    after = model.get_weights()
    looks = []
    for layer in range(3):
        pair = slice(2 * layer, 2 * layer + 2)
        weight = norm(*before[pair])
        change = norm(*(a - b for a, b in zip(after[pair], before[pair], strict=True)))
        ends = np.abs(h[layer]) >= 0.98 if layer == 1 else np.zeros(1)
        dead = np.all(h[layer] == 0, axis=0).mean()
        looks.append([norm(*gradients[pair]), weight, change / weight, (h[layer] == 0).mean(), ends.mean(), dead])
    return looks


def seen(history):
    return [[[each[q][look] for q in QUANTITIES] for each in history.monitored.values()] for look in range(3)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_numbers_are_numpy_s(dtype):
    fitted = small(dtype=dtype)
    history = fitted.fit(X, LABELS, batch_size=32, shuffle=False, callbacks=[gg.Monitor(every=1)], verbose=0)
    by_hand = small(dtype=dtype)
    by_hand.model.build((6,))
    wanted = [expected(by_hand, slice(first, first + 32)) for first in (0, 32, 64)]
    assert history.monitored_steps == [0, 1, 2]
    assert list(history.monitored) == ["dense", "dense_1", "dense_2"]
    tolerance = {"float32": 1e-4, "float64": 1e-11}[dtype]
    np.testing.assert_allclose(seen(history), wanted, rtol=tolerance, atol=tolerance)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(
            seen(history), np.array(wanted) * (1 + 10 * tolerance), rtol=tolerance, atol=tolerance
        )


FEATURES = {
    "plain": {},
    "clipped": {"optimizer": gg.Adam(0.01, clip_norm=0.1)},
    "summed": {"accumulate": 3},
}


@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_weights_are_the_same_with_it(features, threads):
    layers = [gg.Dense(8, input_shape=(6,)), gg.BatchNormalization(), gg.ReLU(), gg.Dropout(0.3), gg.Dense(3)]
    runs = []
    for callbacks in ([], [gg.Monitor(every=3)]):
        trainer = trainer_of(*layers, threads=threads, **FEATURES[features])
        history = trainer.fit(X, LABELS, epochs=4, batch_size=10, callbacks=callbacks, verbose=0)
        runs.append([*trainer.model.get_weights(), np.array(history.history["loss"])])
    assert all(map(np.array_equal, *runs))
    steps = 4 * (4 if features == "summed" else 10)
    assert history.monitored_steps == list(range(0, steps, 3))


def test_the_looks_are_the_same_on_any_team():
    looks = []
    for threads in (1, 2, 3):
        history = small(threads=threads).fit(X, LABELS, epochs=2, callbacks=[gg.Monitor(every=1)], verbose=0)
        looks.append(np.array([[each[q] for q in QUANTITIES] for each in history.monitored.values()]))
    assert looks[0].shape == (3, 6, 6)
    assert_same_bits(looks[0], looks[1])
    assert_same_bits(looks[0], looks[2])


def test_the_looks_are_the_same_by_any_plan_and_kernel_set():
    looks = []
    runs = [(plan, team, SETS[0]) for plan in PLANS for team in (1, 3)]
    for plan, team, kernel_set in [*runs, *(("auto", 1, name) for name in SETS[1:])]:
        run = training(network(activation="sigmoid"))
        run.watch(3)
        context = core.Context(kernel_set, team)
        report = run.run(context, core.Feed(*data(250)), batch_size=100, steps=9, shuffle=True, plan=plan)
        assert plan == "auto" or team == 1 or report.plan == PLANS[plan]
        steps, _, values, losses = run.watched()
        assert (steps, values.shape, losses.shape) == ([0, 3, 6], (3, 3, 6), (9,))
        looks.append((values, losses))
    for values, losses in looks[1:]:
        assert_same_bits(values, looks[0][0])
        assert_same_bits(losses, looks[0][1])


@pytest.mark.parametrize("every", [1, 2, 100])
def test_phases_are_timed_in_steps_without_a_look(every):
    report = small(threads=1).fit(X, LABELS, epochs=4, batch_size=32, callbacks=[gg.Monitor(every)], verbose=0).report
    assert report.plan == ("rows", "update")
    assert [seconds > 0 for seconds in report.seconds] == 2 * [every > 1]


def huge():
    x = np.float32(2e10) * X.astype(np.float32)  # gradients that might overflow, and do not
    return trainer_of(gg.Dense(4, "relu", input_shape=(6,)), gg.Dense(2), loss="mse", dtype="float32"), x, X[:, :2]


@pytest.mark.parametrize("every", [1, 4, 5])
def test_careful_steps_are_counted_and_looked_at(every):
    runs = []
    for callbacks in ([], [gg.Monitor(every, warn=False)]):
        trainer, x, y = huge()
        trainer.learning_rate = 1e-24
        history = trainer.fit(x, y, batch_size=10, epochs=2, callbacks=callbacks, verbose=0)
        assert (history.report.steps, history.report.careful_steps) == (20, 20)
        runs.append(trainer.model.get_weights())
    assert all(map(np.array_equal, *runs))
    assert history.monitored_steps == list(range(0, 20, every))
    assert all(np.isfinite(each["gradient_norm"]).all() for each in history.monitored.values())
    assert len(history.losses) == 20


def test_a_step_that_was_taken_back_was_not_looked_at():
    trainer, x, y = huge()
    monitor = gg.Monitor(every=1, warn=False)
    trainer.learning_rate = 1e-24
    trainer.fit(x[:20], y[:20], batch_size=10, callbacks=[monitor], verbose=0)
    assert monitor.steps == [0, 1]
    trainer.learning_rate = 3e38
    with pytest.raises(TrainingDivergedError, match="the update of step 3 is not"):
        trainer.fit(x, y, batch_size=10, callbacks=[monitor], verbose=0)
    assert (monitor.steps, monitor.layers) == ([], {})


def test_a_history_keeps_its_looks():
    trainer, monitor = small(), gg.Monitor(every=2)
    history = trainer.fit(X, LABELS, callbacks=[monitor], verbose=0)
    copied = copy.deepcopy(history)
    trainer.fit(X, LABELS, callbacks=[monitor], verbose=0)
    assert (len(history.losses), history.monitored_steps) == (3, [0, 2])
    assert (copied.losses, copied.monitored_steps) == (history.losses, [0, 2])
    assert copied.monitored == history.monitored
    assert {type(loss) for loss in history.losses} == {float}
    assert [len(values) for values in history.monitored["dense_1"].values()] == 6 * [2]


def batches():
    return [(X[first : first + 24], LABELS[first : first + 24]) for first in range(0, 96, 24)]


def test_batches_of_an_iterable_are_looked_at_too():
    history = small().fit(batches(), epochs=3, callbacks=[gg.Monitor(every=5)], verbose=0)
    arrays = small().fit(X, LABELS, batch_size=24, shuffle=False, epochs=3, callbacks=[gg.Monitor(every=5)], verbose=0)
    assert history.monitored_steps == [0, 5, 10]
    assert history.monitored == arrays.monitored


@pytest.mark.parametrize("make", [lambda: (X, LABELS), lambda: (batches(),)], ids=["arrays", "batches"])
def test_the_loss_of_every_batch(make):
    told = []

    class Sums(gg.Callback):
        def on_batch_end(self, step, logs=None):
            told.append(logs["loss"] * (step + 1) - sum(told[len(told) - step :]))

    options = {"epochs": 3, "batch_size": 24, "shuffle": False, "verbose": 0}
    small().fit(*make(), **options, callbacks=[Sums()])
    history = small().fit(*make(), **options, callbacks=[gg.Monitor(every=100)])
    assert len(history.losses) == 12
    np.testing.assert_allclose(history.losses, told, rtol=1e-12)
    means = np.reshape(history.losses, (3, 4)).mean(axis=1)
    np.testing.assert_allclose(means, history.history["loss"], rtol=1e-14)


def test_each_fit_has_its_own_looks():
    trainer, monitor = small(), gg.Monitor(every=2)
    first = trainer.fit(X, LABELS, callbacks=[monitor], verbose=0)
    second = trainer.fit(X, LABELS, callbacks=[monitor], verbose=0)
    assert (first.monitored_steps, second.monitored_steps) == ([0, 2], [4])
    assert monitor.layers is second.monitored
    assert trainer.fit(X, LABELS, verbose=0).monitored == {}


def test_a_small_batch_says_nothing_of_dead_units():
    for batch_size, known in ((16, True), (15, False)):
        history = small().fit(X[:60], LABELS[:60], batch_size=batch_size, callbacks=[gg.Monitor(every=9)], verbose=0)
        assert np.isfinite(history.monitored["dense"]["dead"][0]) == known


def deep(activation):
    hidden = [gg.Dense(20, activation) for _ in range(9)]
    return trainer_of(gg.Dense(20, activation, input_shape=(6,)), *hidden, gg.Dense(3))


def dead_units():
    trainer = small()
    trainer.model.set_weights([w if w.ndim == 2 else w - 50.0 for w in trainer.model.get_weights()])
    return trainer


def saturated():
    trainer = small("sigmoid")
    trainer.model.set_weights([1000 * w for w in trainer.model.get_weights()])
    return trainer


SICK = {
    "vanishing": (
        lambda: deep("sigmoid"),
        r"layer 'dense': gradients are \de-\d+ times the largest layer's at step 2; they vanish on the way back: use "
        "activation='relu' with kernel_initializer='he_normal', fewer layers, or BatchNormalization between them",
    ),
    "steps": (
        lambda: small(optimizer=gg.Adam(0.4)),
        r"layer 'dense(_\d)?': an update changes the weights by \d+% at step \d; the steps are too large: lower the "
        "learning rate",
    ),
    "dead": (
        dead_units,
        "layer 'dense': 100% of its units are 0 for every row of the batch at step 2; such units learn nothing: lower "
        "the learning rate, use activation='leaky_relu', or kernel_initializer='he_normal'",
    ),
    "saturated": (
        saturated,
        r"layer 'dense': \d+% of its outputs are at an end of their range at step 2; where the activation is flat, "
        "almost no gradient passes: scale the inputs to mean 0 and deviation 1, lower the learning rate, or use "
        "activation='relu'",
    ),
}


@pytest.mark.parametrize("name", SICK)
def test_what_goes_wrong_is_named_with_a_cure(name):
    make, text = SICK[name]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        make().fit(X, LABELS, epochs=3, callbacks=[gg.Monitor(every=1)], verbose=0)
    said = [str(each.message) for each in warned]
    assert any(re.fullmatch(text, words) for words in said), said
    assert len(set(said)) == len(said)
    assert {(each.category, each.filename) for each in warned} == {(TrainingWarning, __file__)}


def test_exploding_gradients_are_named():
    x = np.vstack([X[:32] * 1e-3, *[X[:32] * 10.0**power for power in (4, 4, 4)]])
    trainer = trainer_of(gg.Dense(4, input_shape=(6,)), gg.Dense(1), loss="mse", optimizer=gg.SGD(1e-30))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        trainer.fit(x, np.ones(128), batch_size=32, shuffle=False, callbacks=[gg.Monitor(every=1)], verbose=0)
    text = r"layer 'dense': gradients are \de\d+ times the largest of the first look at step 3; they explode: .*"
    assert any(re.fullmatch(text, str(each.message)) for each in warned), [str(each.message) for each in warned]


@pytest.mark.parametrize(
    ("trainer", "monitor"),
    [
        (small, gg.Monitor(every=1)),
        (lambda: deep("relu"), gg.Monitor(every=1)),
        (dead_units, gg.Monitor(1, warn=False)),
    ],
    ids=["healthy", "deep and healthy", "not asked for"],
)
def test_no_warning(trainer, monitor):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trainer().fit(X, LABELS, epochs=3, callbacks=[monitor], verbose=0)


@pytest.mark.parametrize(
    ("every", "error", "text"),
    [(0, ValueError, "every must be at least 1; given 0"), (1.5, TypeError, "every must be an integer; given 1.5")],
)
def test_wrong_arguments(every, error, text):
    with pytest.raises(error, match=text):
        gg.Monitor(every=every)
