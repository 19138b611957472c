"""Dropout, normalizations, rescale and flatten: the reference, gradients, bits, files, and what each promises."""

import itertools

import numpy as np
import pytest

import ganglion as gg
from ganglion import _ganglion_core as core
from ganglion import reference
from ganglion.counterparts import in_reference
from run_cases import SETS
from tolerance import assert_only_right_passes, assert_refused, assert_within, relative
from transformation_cases import feed, numbers, training

DTYPES = ["float32", "float64"]
RATE = 2.0**-6
TIGHT = 1e-10  # float64, relative to the largest element
BatchNorm, LayerNorm = gg.BatchNormalization, gg.LayerNormalization

# What stands before, between and after dense layers; the width is the data's unless a dense layer says so.
NETWORKS = {
    "rescale": [gg.Rescale(0.5, 0.25), gg.Dense(9, "tanh"), gg.Rescale(-1.5, 1.0), gg.Dense(4)],
    "flatten": [gg.Flatten(), gg.Dense(17, "sigmoid"), gg.Flatten(), gg.Dense(4)],
    "dropout": [gg.Dropout(0.25), gg.Dense(33, "tanh"), gg.Dropout(0.5), gg.Dense(4)],
    "last dropout": [gg.Dense(17, "tanh"), gg.Dense(4), gg.Dropout(0.125)],
    "layer": [LayerNorm(), gg.Dense(9), LayerNorm(), gg.Tanh(), gg.Dense(4)],
    "layer without parameters": [gg.Dense(16, "tanh"), LayerNorm(center=False, scale=False), gg.Dense(4)],
    "layer, β alone": [gg.Dense(16, "tanh"), LayerNorm(scale=False, epsilon=0.5), gg.Dense(4)],
    "batch": [gg.Dense(9), BatchNorm(momentum=0.75), gg.Tanh(), gg.Dense(17, "tanh"), BatchNorm(), gg.Dense(4)],
    "batch first and last": [
        BatchNorm(center=False),
        gg.Dense(9, "tanh"),
        BatchNorm(scale=False),
        gg.Dense(4),
        BatchNorm(),
    ],
    "batch without parameters": [gg.Dense(70, "tanh"), BatchNorm(center=False, scale=False, epsilon=0.5), gg.Dense(4)],
    "normalizations with activations": [gg.Dense(9), BatchNorm(), gg.ELU(), LayerNorm(), gg.Sigmoid(), gg.Dense(4)],
    "softmax after a normalization": [gg.Dense(9, "tanh"), gg.Dense(4), BatchNorm(), gg.Softmax()],
    "all": [
        *(gg.Rescale(2.0, 0.5), gg.Flatten(), gg.Dense(40), BatchNorm(), gg.Sigmoid(), gg.Dropout(0.25), gg.Dense(20)),
        *(LayerNorm(), gg.Dropout(0.125), gg.Rescale(3.0), gg.Dense(4)),
    ],
}
each_network = pytest.mark.parametrize("name", NETWORKS)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def built(name, dtype, features=7, seed=3):
    """A model whose every parameter is drawn; scales and variances are positive."""
    model = gg.Sequential(list(NETWORKS[name]), seed=seed, dtype=dtype)
    model.build((features,))
    weights = {}
    for index, (key, view) in enumerate(model.state_dict().items()):
        drawn = numbers(*view.shape, seed=index + 100 * seed) / (2 if key.endswith("kernel") else 4)
        weights[key] = np.abs(drawn) + 0.75 if key.endswith(("gamma", "variance")) else drawn
    model.load_state_dict(weights)
    return model


def counterpart(model):
    return reference.Sequential(in_reference(model, model.get_weights())[0])


@each_dtype
@each_network
def test_prediction(name, dtype):
    model, x = built(name, dtype), numbers(13, 7, seed=1)
    network = counterpart(model)
    expected = network.forward(x)
    actual = model.predict(x.astype(dtype))
    bound = np.broadcast_to(reference.forward_bounds(network, dtype)[-1], expected.shape)
    assert_only_right_passes(actual, expected, bound)
    if dtype == "float64":
        assert_only_right_passes(actual, expected, relative(expected, TIGHT))


@each_dtype
@pytest.mark.parametrize("rows", [2, 13, 150])
@each_network
def test_gradients(name, rows, dtype):
    model, x, y = built(name, dtype), numbers(rows, 7, seed=1), numbers(rows, 4, seed=2)
    network = counterpart(model)
    expected_loss, expected = network.gradients(x, y, "mse")
    of_loss, bounds = reference.gradient_bounds(network, y, "mse", dtype)
    before = model.get_weights()
    found = training(model).gradients(core.Context(None, 2), feed(x, y, dtype))
    assert_only_right_passes(np.array(found.loss), np.array(expected_loss), of_loss)
    for actual, array, bound in zip(found.arrays, expected, bounds, strict=True):
        if np.abs(array).max() < 1e-9:  # a bias before a normalization has none
            assert_within(actual, array, bound)
        else:
            if (
                dtype == "float64" and rows > 2
            ):  # two rows are ±1 after normalization: the gradients are what roundings leave
                assert_only_right_passes(actual, array, relative(array, TIGHT))
            assert_within(actual, array, bound)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


NETS = list(itertools.product(NETWORKS, range(5)))


@pytest.mark.parametrize(("name", "seed"), NETS)
def test_gradients_of_the_core_are_those_of_its_loss(name, seed):
    model, x, y = built(name, "float64", seed=seed), numbers(6, 7, seed=seed), numbers(6, 4, seed=seed + 50)
    run, context, data = training(model), core.Context(None, 1), feed(x, y, "float64")
    gradients = run.gradients(context, data).arrays
    places = [index for index, trainable in enumerate(model.network.trainable) if trainable]
    draw, step = np.random.default_rng(seed), 1e-5
    pairs = []
    for index, gradient in zip(places, gradients, strict=True):
        kept = np.array(model.network.parameters()[index])
        for place in draw.integers(0, kept.size, 5):
            losses = []
            for sign in (1, -1):
                moved = kept.copy()
                moved.flat[place] += sign * step
                model.network.assign(index, moved)
                losses.append(run.gradients(context, data).loss)
            pairs.append((gradient.flat[place], (losses[0] - losses[1]) / (2 * step)))
        model.network.assign(index, kept)
    found, differences = np.array(pairs).T
    bound = 1e-6 * np.abs(differences).max()
    assert_within(found, differences, bound)
    assert_refused(-found, differences, bound, "wrong sign")
    assert_refused(found * 1.001, differences, bound, "a thousandth too large")


def test_there_are_sixty_networks():
    assert len(NETS) >= 60


def trained(name, kernel_set, team, plan, dtype, features, rows):
    model = built(name, dtype, features)
    x, y = numbers(rows, features, seed=1), numbers(rows, 4, seed=2)
    run = training(model, "adam", rate=0.01, weight_decay=1e-3)
    report = run.run(
        core.Context(kernel_set, team), feed(x, y, dtype), batch_size=300, steps=5, shuffle=True, plan=plan
    )
    assert report.steps == 5
    return b"".join(np.ascontiguousarray(weight).tobytes() for weight in model.get_weights())


@each_dtype
@pytest.mark.parametrize(("features", "rows"), [(7, 500), (1, 300), (33, 130), (16, 5)])
@each_network
def test_every_set_team_and_plan_gives_the_scalar_bits(name, features, rows, dtype):
    found = {trained(name, "scalar", 1, "rows", dtype, features, rows)}
    fast = [kernel_set for kernel_set in SETS if kernel_set not in ("scalar", "sse2")]
    for kernel_set in fast:
        found |= {
            trained(name, kernel_set, team, plan, dtype, features, rows)
            for team, plan in [(1, "rows"), (2, "layers"), (3, "rows"), (3, "stored"), (7, "layers")]
        }
    found.add(trained(name, "sse2", 2, "rows", dtype, features, rows) if "sse2" in SETS else found.copy().pop())
    assert len(found) == 1


@pytest.mark.parametrize("kernel_set", SETS)
@each_dtype
@each_network
def test_a_row_predicts_the_same_alone_and_in_any_batch(name, dtype, kernel_set):
    model, x = built(name, dtype), numbers(130, 7, seed=1).astype(dtype)
    whole = model.network.predict(core.Context("scalar", 1), x)
    np.testing.assert_array_equal(model.network.predict(core.Context(kernel_set, 2), x), whole)
    np.testing.assert_array_equal(model.network.predict(core.Context(kernel_set, 1), x[7:8]), whole[7:8])


@each_dtype
@each_network
def test_whole_runs(name, dtype):
    """Float32's tolerance is stated, not derived: 12 steps carry roundings on; a run in another order is far off."""
    tolerance = 1e-9 if dtype == "float64" else 2e-3
    x, y = numbers(100, 7, seed=1), numbers(100, 4, seed=2)
    model = built(name, dtype)
    network, other = counterpart(model), counterpart(model)
    report = training(model, rate=RATE).run(
        core.Context(None, 2), feed(x, y, dtype), batch_size=32, steps=12, shuffle=True
    )
    options = {"loss": "mse", "epochs": 3, "batch_size": 32}
    losses = reference.train(network, x, y, optimizer=reference.SGD(RATE), seed=3, **options)
    wrong = reference.train(other, x, y, optimizer=reference.SGD(RATE), seed=4, **options)
    expected = np.array(losses.epochs)
    assert_within(report.epochs[:, 0], expected, tolerance * expected)
    assert_refused(np.array(wrong.epochs), expected, tolerance * expected, "other shuffles")
    for actual, array in zip(model.get_weights(), network.weights, strict=True):
        assert_within(actual, array, tolerance * max(1.0, np.abs(array).max()))


@each_dtype
@each_network
def test_verify_covers_it(name, dtype):
    result = gg.verify(built(name, dtype), numbers(13, 7, seed=1), numbers(13, 4, seed=2), loss="mse")
    assert result.ok
    moving = [row for row in result.comparisons if row.quantity in ("new mean", "new variance")]
    assert len(moving) == 2 * sum(isinstance(layer, BatchNorm) for layer in NETWORKS[name])


@each_dtype
@each_network
def test_files_copies_and_configs_keep_everything(name, dtype, tmp_path):
    model, x = built(name, dtype), numbers(20, 7, seed=1).astype(dtype)
    training(model).run(core.Context(), feed(x, numbers(20, 4, seed=2), dtype), batch_size=20, steps=2, shuffle=False)
    model.save(tmp_path / "model.safetensors")
    for other in (gg.load(tmp_path / "model.safetensors"), model.copy()):
        assert other.layers == model.layers
        for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(other.predict(x), model.predict(x))


@each_network
def test_it_learns(name):
    x = numbers(64, 4, seed=2)
    y = np.eye(4)[2 * (x[:, 0] > x[:, 1]) + (x[:, 2] > x[:, 3])]
    model = gg.Sequential(list(NETWORKS[name]), seed=1)
    trainer = gg.Trainer(model, "mse", gg.Adam(0.02))
    history = trainer.fit(x, y, epochs=150, batch_size=16, verbose=0)
    assert trainer.evaluate(x, y)["loss"] < 0.6 * np.var(y)
    assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]
