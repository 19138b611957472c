"""Penalties on weights: in the loss that is reported, in the gradients, and in every update."""

import numpy as np
import pytest

import ganglion as gg
from bits import DTYPES, FAST_SETS, any_numbers, assert_same_bits, operations, special_values
from bits import numbers as odd_numbers
from cases import Case
from ganglion import reference
from ganglion._native import _ganglion_core as core
from ganglion.regularizers import REGULARIZERS
from run_cases import PLANS, SETS, data, digest
from small_models import LABELS, X
from tolerance import assert_only_right_passes, relative

COEFFICIENTS = [(0.03125, 0.0), (0.0, 0.0625), (0.03125, 0.0625)]
ROUNDING = {"float32": 1e-4, "float64": 1e-11}
STEP = 1e-5


def layers_of(case, coefficients):
    """The case's layers in the core; all but the last are regularized."""
    layers = []
    for number, (units, activation) in enumerate(zip(case.widths[1:], case.activations, strict=True)):
        layer = core.Dense(f"dense_{number}", units, case.use_bias, activation, 0.25, "glorot_uniform", "zeros")
        if number < len(case.widths) - 2:
            layer.l1, layer.l2 = coefficients
        layers.append(layer)
    return layers


def trainee(case, dtype, coefficients, optimizer="sgd", rate=0.25):
    net = core.Network(case.widths[0], layers_of(case, coefficients), dtype, 3)
    for index, array in enumerate(case.weights()):
        net.assign(index, array.astype(dtype))
    schedule = core.Schedule("constant", rate, 0.0, 1)
    return net, core.Training(net, case.loss, case.target, core.Optimizer(optimizer), schedule, [])


def expected_of(case, coefficients):
    model = case.reference()
    for layer in model.layers[:-2]:
        if isinstance(layer, reference.Dense):
            layer.l1, layer.l2 = coefficients
    return model


@pytest.mark.parametrize("set_", FAST_SETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_kernels_have_the_scalar_bits(set_, dtype):
    special, shapes = special_values(dtype), [(1, 1), (2, 15), (3, 16), (5, 17), (4, 33), (7, 100), (64, 64)]
    pairs = [tuple(np.meshgrid(special, special)), tuple(any_numbers(1003, dtype, seed)[None] for seed in (3, 4))]
    pairs += [(odd_numbers(shape, dtype), odd_numbers(shape, dtype, seed=1)) for shape in shapes]
    for index, (g, w) in enumerate(pairs):
        g, w, misalign = g.copy(), w.copy(), (0, 1, 5)[index % 3]
        for name in ("row_magnitudes", "row_squares"):
            found, expected = (getattr(operations, name)(s, w, misalign=misalign) for s in (set_, "scalar"))
            assert_same_bits(found, expected)
        for l1, slope in [(0.1, 0.0), (0.0, 0.1), (0.1, 0.3)]:
            found, expected = (operations.penalize(s, g, w, l1, slope, misalign=misalign) for s in (set_, "scalar"))
            assert_same_bits(found, expected)


def test_the_kernels_are_what_their_contract_says():
    w = np.array([[2.0, -3.0, 0.0, -0.0]])
    assert operations.row_magnitudes("scalar", w) == [5.0]
    assert_same_bits(
        operations.penalize("scalar", np.ones((1, 4)), w, 0.5, 2.0), np.array([[1 + 4 + 0.5, 1 - 6 - 0.5, 1.0, 1.0]])
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("coefficients", COEFFICIENTS)
@pytest.mark.parametrize("rows", [13, 300])
def test_loss_and_gradients_are_those_of_the_reference(rows, coefficients, dtype):
    case = Case("tanh", "cross_entropy", "labels", rows=rows)
    model = expected_of(case, coefficients)
    expected_loss, expected = model.gradients(case.x(), case.y(), case.loss)
    of_loss, bounds = reference.gradient_bounds(model, case.y(), case.loss, dtype)
    plain_loss, plain = case.reference().gradients(case.x(), case.y(), case.loss)
    _, run = trainee(case, dtype, coefficients)
    found = run.gradients(core.Context(None, 2), case.feed(core, dtype))
    assert_only_right_passes(np.array(found.loss), np.array(expected_loss), of_loss, plain=np.array(plain_loss))
    for index, (actual, array, bound) in enumerate(zip(found.arrays, expected, bounds, strict=True)):
        regularized = index in (0, 2)
        assert_only_right_passes(actual, array, bound, **({"plain": plain[index]} if regularized else {}))
    assert run.evaluate(core.Context(), case.feed(core, dtype)).loss == found.loss


@pytest.mark.parametrize("coefficients", COEFFICIENTS)
def test_the_gradient_is_the_derivative_of_the_reported_loss(coefficients):
    case = Case("tanh", "mse", widths=(3, 4, 3), rows=5)
    net, run = trainee(case, "float64", coefficients)
    feed, weights = case.feed(core, "float64"), case.weights()
    assert min(np.abs(weights[0]).min(), 1) > STEP  # no step crosses the kink of |w|

    def value(index, place, change):
        moved = weights[index].copy()
        moved[place] += change
        net.assign(index, moved)
        loss = run.evaluate(core.Context(None, 1), feed).loss
        net.assign(index, weights[index])
        return loss

    for index, gradient in enumerate(run.gradients(core.Context(None, 1), feed).arrays):
        for place in np.ndindex(gradient.shape):
            slope = (value(index, place, STEP) - value(index, place, -STEP)) / (2 * STEP)
            assert gradient[place] == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("coefficients", [*COEFFICIENTS, (0.0, 0.0)])
@pytest.mark.parametrize("limit", ["", "clip_norm", "clip_value"])
def test_training_has_the_same_bits_on_every_set_team_and_plan(coefficients, limit, dtype):
    case = Case("relu", "cross_entropy", "labels", widths=(37, 50, 9, 7))
    x, y = data(400, dtype, [37, 7])
    results = set()
    ways = [("scalar", 1, "rows"), ("sse2", 2, "layers"), *((s, 2, p) for s in SETS[:2] for p in PLANS)]
    for kernel_set, team, plan in ways:
        net = core.Network(37, layers_of(case, coefficients), dtype, 3)
        optimizer = core.Optimizer("adam")
        if limit:
            setattr(optimizer, limit, 1e-2)
        run = core.Training(net, "cross_entropy", "labels", optimizer, core.Schedule("constant", 1e-2), [])
        report = run.run(
            core.Context(kernel_set, team), core.Feed(x, y), batch_size=150, steps=4, shuffle=True, plan=plan
        )
        assert ("penalty" in report.plan) == any(coefficients)
        results.add((digest(net), report.epochs.tobytes()))
    assert len(results) == 1


def test_a_run_is_that_of_the_reference():
    case = Case("tanh", rows=30)
    net, run = trainee(case, "float64", (0.03125, 0.0625))
    report = run.run(core.Context(), case.feed(core, "float64"), batch_size=8, steps=8, shuffle=True)
    expected, plain = expected_of(case, (0.03125, 0.0625)), case.reference()
    options = {"loss": "mse", "epochs": 2, "batch_size": 8, "seed": 3}
    losses = [
        reference.train(model, case.x(), case.y(), optimizer=reference.SGD(0.25), **options)
        for model in (expected, plain)
    ]
    assert_only_right_passes(report.epochs[:, 0], np.array(losses[0].epochs), 1e-11, plain=np.array(losses[1].epochs))
    for actual, array, other in zip(net.parameters(), expected.parameters, plain.parameters, strict=True):
        assert_only_right_passes(actual, array, relative(array, 1e-10), plain=other)


# From Python.


@pytest.mark.parametrize(
    ("given", "coefficients"),
    [
        (None, (0.0, 0.0)),
        ("l1", (0.01, 0.0)),
        ("l2", (0.0, 0.01)),
        ("l1_l2", (0.01, 0.01)),
        (gg.L1(0.5), (0.5, 0.0)),
        (gg.L2(0.5), (0.0, 0.5)),
        (gg.L1L2(l1=0.5), (0.5, 0.0)),
        (gg.regularizers.l2(0.5), (0.0, 0.5)),
        (gg.regularizers.l1_l2(l1=0.5, l2=0.25), (0.5, 0.25)),
        (gg.L1L2(0.5, 0.25), (0.5, 0.25)),
    ],
)
def test_a_layer_hands_its_regularizer_on(given, coefficients, tmp_path):
    layer = gg.Dense(3, kernel_regularizer=given, input_shape=(4,))
    assert layer.penalty == coefficients
    assert (layer.native("a").l1, layer.native("a").l2) == coefficients
    model = gg.Sequential(layer)
    (kernel, _), (l1, l2) = model.get_weights(), coefficients
    penalty = l1 * np.abs(kernel.astype(float)).sum() + l2 * (kernel.astype(float) ** 2).sum()
    trainer = gg.Trainer(model, "mse", "sgd")
    # Targets that the model meets: the penalty is all there is.
    assert trainer.evaluate(X, model.predict(X))["loss"] == pytest.approx(penalty, rel=1e-6, abs=1e-12)
    assert trainer.train_on_batch(X, model.predict(X)) == pytest.approx(penalty, rel=1e-6, abs=1e-12)
    model.save(tmp_path / "model.safetensors")
    assert gg.load(tmp_path / "model.safetensors").layers[0].penalty == coefficients


def test_l2_makes_the_steps_of_twice_the_weight_decay():
    weights = []
    for regularizer, decay in ((gg.L2(0.05), 0.0), (None, 0.1), (None, 0.0)):
        model = gg.Sequential(gg.Dense(3, use_bias=False, kernel_regularizer=regularizer, input_shape=(4,)))
        gg.Trainer(model, "cross_entropy", gg.SGD(0.1, weight_decay=decay)).fit(X, LABELS, epochs=3, verbose=0)
        weights.append(model.get_weights()[0])
    assert_only_right_passes(weights[0], weights[1], relative(weights[1], 1e-6), undecayed=weights[2])


def test_l1_drives_useless_weights_to_zero():
    x = np.random.default_rng(0).normal(size=(200, 5))
    model = gg.Sequential(gg.Dense(1, kernel_regularizer=gg.L1(0.2), input_shape=(5,)), dtype="float64")
    gg.Trainer(model, "mse", gg.SGD(0.01)).fit(x, 2 * x[:, 0], epochs=200, batch_size=200, verbose=0)
    kernel = np.abs(model.get_weights()[0][:, 0])
    assert kernel[0] > 1.5 and kernel[1:].max() < 0.05


@pytest.mark.parametrize("dtype", DTYPES)
def test_verify_knows_penalties(dtype):
    model = gg.Sequential(gg.Dense(8, "tanh", kernel_regularizer="l1_l2", input_shape=(4,)), gg.Dense(3), dtype=dtype)
    assert gg.verify(model, X, LABELS).ok


def test_penalties_that_overflow_stop_before_the_step():
    model = gg.Sequential(gg.Dense(2, kernel_regularizer=gg.L2(1.0), input_shape=(4,)), dtype="float64")
    model.set_weights([np.full((4, 2), 1e200), np.zeros(2)])
    with pytest.raises(gg.errors.TrainingDivergedError, match=r"layer 'dense': the loss of step 1 is not a finite"):
        gg.Trainer(model, "mse", gg.SGD(1e-300)).fit(X * 1e-250, np.zeros((50, 2)), verbose=0)
    assert (model.get_weights()[0] == 1e200).all()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gg.L1(-1), ValueError, "l1 must be finite and >= 0; given -1"),
        (lambda: gg.L2("0.1"), TypeError, "l2 must be a number; given '0.1' of type str"),
        (lambda: gg.L1L2(l2=np.inf), ValueError, "l2 must be finite and >= 0; given inf"),
        (lambda: gg.Dense(2, kernel_regularizer="l3"), ValueError, "unknown kernel_regularizer 'l3'; known: l1, l2"),
        (lambda: gg.Dense(2, kernel_regularizer=gg.L2), TypeError, r"given the class itself: write L2\(\)"),
        (lambda: gg.Dense(2, kernel_regularizer=0.01), TypeError, "must be the name of a regularizer or an object"),
    ],
)
def test_wrong_regularizers_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_the_family_has_keras_s_names():
    assert list(REGULARIZERS.names) == ["l1", "l2", "l1_l2"]
    for name, row in REGULARIZERS.names.items():
        assert REGULARIZERS.canonical("kernel_regularizer", row()) == name
