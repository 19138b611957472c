"""Rows that count more or less: the loss Σ w l / B and its gradients, in the core and in the reference."""

import numpy as np
import pytest

from bits import DTYPES, FAST_SETS, assert_same_bits, operations
from cases import ENDS, LOSSES, Case, loss_options, native_loss, numbers
from ganglion import reference
from ganglion._native import _ganglion_core as core
from run_cases import PLANS, SETS, data, digest, network, training
from tolerance import assert_only_right_passes, relative

ROUNDING = {"float32": 1e-4, "float64": 1e-11}  # of a small network's gradients, relative to the largest
STEP = 1e-5


def weights_for(rows):
    """In [0, 4), exact in float32, one of them 0."""
    weights = np.abs(numbers(rows, seed=9, index=77)) % 4
    weights[rows // 2] = 0
    return weights


def weighted_feed(case, dtype, weights, **data):
    feed = case.feed(core, dtype, **data)  # checks what it makes
    assert isinstance(feed, core.Feed)
    x, y = data.get("x", case.x()).astype(dtype), data.get("y", case.y())
    if case.target == "labels":
        return core.Feed(x, y, None, weights)
    return core.Feed(x, None, y.astype(dtype), weights)


def trainee(case, dtype):
    model = case.core(core, dtype)
    return model, core.Training(
        model,
        native_loss(core, case.loss),
        case.target,
        core.Optimizer("sgd"),
        core.Schedule("constant", 0.25, 0.0, 1),
        ["accuracy"],
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [1, 13, 300])
@pytest.mark.parametrize(("loss", "target"), LOSSES)
def test_loss_and_gradients_are_those_of_the_reference(loss, target, rows, dtype):
    rows += 2 * (loss == "mae")  # whose gradients of one row have one magnitude
    case, weights = Case("tanh", loss, target, rows=rows), weights_for(rows) + 1.5 * (rows == 1)
    expected_loss, expected = case.reference().gradients(case.x(), case.y(), loss, weights, **loss_options(loss))
    plain_loss, plain = case.reference().gradients(case.x(), case.y(), loss, **loss_options(loss))
    _, run = trainee(case, dtype)
    found = run.gradients(core.Context(None, 2), weighted_feed(case, dtype, weights))
    bound = ROUNDING[dtype]
    assert_only_right_passes(np.array(found.loss), np.array(expected_loss), bound, plain=np.array(plain_loss))
    for actual, array, unweighted in zip(found.arrays, expected, plain, strict=True):
        assert_only_right_passes(actual, array, relative(array, bound), plain=unweighted)
    assert run.evaluate(core.Context(), weighted_feed(case, dtype, weights)).loss == found.loss


@pytest.mark.parametrize(("loss", "target"), LOSSES)
def test_the_gradient_is_the_derivative_of_the_weighted_loss(loss, target):
    case = Case("tanh", loss, target, widths=(3, 4, 3), rows=5)
    model, run = trainee(case, "float64")
    feed, weights = weighted_feed(case, "float64", weights_for(5)), case.weights()

    def value(index, place, change):
        moved = weights[index].copy()
        moved[place] += change
        model.assign(index, moved)
        loss = run.evaluate(core.Context(None, 1), feed).loss
        model.assign(index, weights[index])
        return loss

    for index, gradient in enumerate(run.gradients(core.Context(None, 1), feed).arrays):
        for place in np.ndindex(gradient.shape):
            slope = (value(index, place, STEP) - value(index, place, -STEP)) / (2 * STEP)
            assert gradient[place] == pytest.approx(slope, rel=1e-6, abs=1e-8)
    assert np.abs(gradient).max() > 1e-3  # or all would pass


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("loss", "target"), LOSSES)
def test_training_has_the_scalar_bits(loss, target, dtype):
    x, y = data(300, dtype)
    values = np.abs(numbers(300, 7, seed=4)).astype(dtype) % 1
    y = (y, None) if target == "labels" else (None, values)
    weights = weights_for(300).astype(dtype)
    digests = set()
    for kernel_set, team, plan in [("scalar", 1, "rows"), *((s, 2, p) for s in SETS for p in PLANS)]:
        net = network(dtype=dtype, last=ENDS.get(loss, "identity"))
        run = core.Training(
            net, native_loss(core, loss), target, core.Optimizer("adam"), core.Schedule("constant", 1e-2), []
        )
        report = run.run(
            core.Context(kernel_set, team), core.Feed(x, *y, weights), batch_size=130, steps=6, shuffle=True, plan=plan
        )
        digests.add((digest(net), report.epochs.tobytes()))
    assert len(digests) == 1


@pytest.mark.parametrize("set_", FAST_SETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "target"), LOSSES)
def test_the_kernel_has_the_scalar_bits(set_, dtype, name, target):
    z = numbers(40, 13, seed=1).astype(dtype)
    weights = weights_for(60).astype(dtype)
    labels = np.arange(60, dtype=np.int32) % 13
    given = {"labels": labels} if target == "labels" else {"values": np.abs(numbers(60, 13, seed=2)).astype(dtype) % 1}
    rows = np.random.default_rng(0).permutation(60)[:40].astype(np.int32)
    options = given | {"scale": 1 / 40, "rows": rows, "weights": weights}
    for found, expected in zip(
        operations.loss_gradient(set_, name, z, **options),
        operations.loss_gradient("scalar", name, z, **options),
        strict=True,
    ):
        assert_same_bits(found, expected)


def test_weights_of_one_change_no_bit_and_others_do():
    x, y = data(300)
    digests = []
    for weights in (None, np.ones(300), np.ones(300, np.float32), np.full(300, 1.001)):
        net = network()
        training(net).run(core.Context(), core.Feed(x, y, weights=weights), batch_size=100, steps=5, shuffle=True)
        digests.append(digest(net))
    assert digests[0] == digests[1] == digests[2] != digests[3]


def test_a_row_of_weight_zero_teaches_nothing():
    x, y = data(300)
    weights = np.ones(300)
    weights[::3] = 0
    other = y.copy()
    other[::3] = (other[::3] + 1) % 7
    digests = set()
    for labels in (y, other):
        net = network()
        training(net).run(core.Context(), core.Feed(x, labels, None, weights), batch_size=64, steps=9, shuffle=True)
        digests.add(digest(net))
    assert len(digests) == 1


def test_the_reference_trains_with_weights():
    case, weights = Case("tanh", rows=30), weights_for(30)
    model, run = trainee(case, "float64")
    run.run(core.Context(), weighted_feed(case, "float64", weights), batch_size=8, steps=8, shuffle=True)
    expected, plain = case.reference(), case.reference()
    for network_, options in ((expected, {"weights": weights}), (plain, {})):
        reference.train(
            network_, case.x(), case.y(), loss="mse", optimizer=reference.SGD(0.25), epochs=2, batch_size=8, **options
        )
    for actual, array, unweighted in zip(model.parameters(), expected.parameters, plain.parameters, strict=True):
        assert_only_right_passes(actual, array, relative(array, 1e-10), plain=unweighted)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.ones(299), ValueError, r"weights must have shape \(300,\); got \(299,\)"),
        (np.ones((300, 1)), ValueError, r"weights must have shape \(300,\); got \(300, 1\)"),
        (np.ones(300, np.int64), TypeError, "weights must be float32 or float64; got int64"),
        (np.where(np.arange(300) == 7, -1.0, 1.0), ValueError, r"weights\[7\] is -1.0.*must be a finite number"),
        (np.where(np.arange(300) == 8, np.nan, 1.0), ValueError, r"weights\[8\] is nan"),
        (np.where(np.arange(300) == 9, 1e300, 1.0), ValueError, r"weights\[9\] is 1.*must be a finite number"),
    ],
)
def test_wrong_weights_are_refused(weights, error, message):
    x, y = data(300)
    net = network()
    with pytest.raises(error, match=message):
        training(net).run(core.Context(), core.Feed(x, y, None, weights), batch_size=100, steps=1, shuffle=True)
    assert digest(net) == digest(network())
