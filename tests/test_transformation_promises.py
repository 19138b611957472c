"""What dropout, the normalizations, rescale and flatten promise one by one."""

import numpy as np
import pytest

import ganglion as gg
from ganglion import _ganglion_core as core
from transformation_cases import feed, numbers, training

DTYPES = ["float32", "float64"]
BatchNorm, LayerNorm = gg.BatchNormalization, gg.LayerNormalization
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


# Dropout


def dropped(seed=0, rate=0.5, layers=1, step=0, shape=(200, 50)):
    """What `layers` dropouts after each other leave of ones, by way of the gradient of a bias-free identity kernel."""
    model = gg.Sequential(
        [*(gg.Dropout(rate) for _ in range(layers)), gg.Dense(1, use_bias=False, kernel_initializer="zeros")], seed=seed
    )
    model.build((shape[1],))
    run = training(model, rate=2.0**-40)
    data = feed(np.ones(shape), np.ones((shape[0], 1)), "float32")
    if step:
        run.run(core.Context(), data, batch_size=shape[0], steps=step, shuffle=False)
    (gradient,) = run.gradients(core.Context(), data).arrays
    return gradient[:, 0]


def test_dropout_keeps_its_share_and_the_mean():
    for rate in (0.0, 0.125, 0.5, 0.875):
        found = -dropped(rate=rate) / 2  # the mean over the rows of 0 or 1 / (1 - rate)
        deviation = (rate / (1 - rate) / 200) ** 0.5
        assert np.abs(found - 1).max() <= 5 * deviation + 1e-6  # the latter for 200 roundings
        assert rate == 0 or found.std() > deviation / 2


def test_dropout_differs_by_seed_step_and_layer():
    plain = dropped()
    np.testing.assert_array_equal(plain, dropped())
    for other in (dropped(seed=1), dropped(seed=2**32), dropped(step=1), dropped(layers=2)):
        assert not np.array_equal(plain, other)


def test_train_on_batch_drops_other_elements_each_time():
    model = gg.Sequential(gg.Dropout(0.5, input_shape=(50,)), gg.Dense(1, kernel_initializer="zeros"))
    trainer = gg.Trainer(model, "mse", gg.SGD(1e-3))
    before, steps = model.get_weights()[0], []
    for _ in range(2):
        trainer.train_on_batch(np.ones((1, 50)), np.ones((1, 1)))
        after = model.get_weights()[0]
        steps.append(after != before)
        before = after
    assert not np.array_equal(*steps)


def test_prediction_and_evaluation_drop_nothing():
    x, y = numbers(30, 7, seed=1), numbers(30, 3, seed=2)
    dense = [gg.Dense(5, "tanh", input_shape=(7,)), gg.Dense(3)]
    plain = gg.Sequential(dense, seed=4)
    model = gg.Sequential([gg.Dropout(0.5, input_shape=(7,)), dense[0], gg.Dropout(0.9), dense[1]], seed=4)
    model.set_weights(plain.get_weights())
    np.testing.assert_array_equal(model.predict(x), plain.predict(x))
    assert gg.Trainer(model, "mse").evaluate(x, y) == gg.Trainer(plain, "mse").evaluate(x, y)


def test_a_rate_of_zero_is_no_dropout():
    x, y = numbers(30, 7, seed=1), numbers(30, 3, seed=2)
    results = []
    for between in ([], [gg.Dropout(0)]):
        model = gg.Sequential([gg.Dense(5, "tanh", name="a"), *between, gg.Dense(3, name="b")], seed=4)
        gg.Trainer(model, "mse").fit(x, y, epochs=3, verbose=0)
        results.append(model.get_weights())
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


# Normalization


@each_dtype
def test_a_batch_of_one_row_gives_beta_and_moves_nothing(dtype):
    model = gg.Sequential(BatchNorm(input_shape=(3,)), dtype=dtype)
    beta = np.array([1.0, -2.0, 0.5])
    model.load_state_dict(model.state_dict() | {"batch_normalization.beta": beta})
    found = training(model).gradients(core.Context(), feed(np.array([[3.0, 4.0, 5.0]]), np.zeros((1, 3)), dtype))
    assert found.loss == pytest.approx((beta**2).mean(), rel=1e-6)
    training(model).run(
        core.Context(), feed(np.ones((1, 3)), np.ones((1, 3)), dtype), batch_size=1, steps=1, shuffle=False
    )
    assert model.get_weights()[2].tolist() == [0, 0, 0]
    assert model.get_weights()[3].tolist() == [1, 1, 1]


def test_a_training_batch_has_mean_zero_and_variance_one():
    x = numbers(300, 5, seed=1) * 7 + 100
    model = gg.Sequential(BatchNorm(epsilon=1e-12, momentum=0.0, input_shape=(5,)), dtype="float64")
    gg.Trainer(model, "mse", gg.SGD(1e-14)).train_on_batch(x, x)
    _, _, mean, variance = model.get_weights()
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(variance, x.var(axis=0), rtol=1e-12)
    assert not np.allclose(variance, x.var(axis=0, ddof=1), rtol=1e-12)  # not the unbiased one
    output = model.predict(x)  # with a momentum of 0 the moving statistics are the batch's
    np.testing.assert_allclose(output.mean(axis=0), 0, atol=1e-8)
    np.testing.assert_allclose(output.var(axis=0), 1, atol=1e-8)


def test_moving_statistics_are_weights_but_no_parameters():
    model = gg.Sequential(gg.Dense(3, input_shape=(2,)), BatchNorm(), seed=1)
    names = ["gamma", "beta", "moving_mean", "moving_variance"]
    assert list(model.state_dict())[2:] == [f"batch_normalization.{name}" for name in names]
    assert [weight.tolist() for weight in model.get_weights()[2:]] == [[1] * 3, [0] * 3, [0] * 3, [1] * 3]
    assert [view.shape for view in model.parameters()] == [(2, 3), (3,), (3,), (3,)]
    view = model.state_dict()["batch_normalization.moving_mean"]
    assert not view.flags.writeable
    gg.Trainer(model, "mse").fit(numbers(20, 2, seed=1), numbers(20, 3, seed=2), verbose=0)
    assert view.any()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"moving_variance must hold no negative number; given -1"):
        model.set_weights([*before[:-1], np.array([1, 1, -1])])
    np.testing.assert_array_equal(model.get_weights()[-1], before[-1])


def test_summary_counts_moving_statistics(capsys):
    gg.Sequential(gg.Dense(3, input_shape=(2,)), BatchNorm()).summary()
    assert "15 trainable, 6 moving statistics" in capsys.readouterr().out


def test_a_variance_that_overflows_stops_the_step():
    x = np.array([[1e30], [-1e30]], np.float32)
    for layer in (BatchNorm(input_shape=(1,)), LayerNorm(input_shape=(1,))):
        wide = np.repeat(x, 1, axis=1) if isinstance(layer, BatchNorm) else np.array([[1e30, -1e30]], np.float32)
        model = gg.Sequential([type(layer)(input_shape=(wide.shape[1],))])
        before = model.get_weights()
        with pytest.raises(
            core.TrainingDivergedError, match=r"normalization': the output of step 1 is not a finite number"
        ):
            gg.Trainer(model, "mse").fit(wide, wide * 0, verbose=0)
        for one, other in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


# Rescale and flatten


@each_dtype
@pytest.mark.parametrize("source", ["uint8", "float32", "float64"])
def test_a_first_rescale_is_the_elementwise_one(source, dtype):
    x = np.random.default_rng(1).integers(0, 255, (40, 6)).astype(source)
    y = numbers(40, 3, seed=2)
    expected = x.astype(dtype) * np.dtype(dtype).type(1 / 255) + np.dtype(dtype).type(-0.5)
    one, other = (
        gg.Sequential(layers, seed=2, dtype=dtype)
        for layers in ([gg.Rescale(1 / 255, -0.5), gg.Dense(3)], [gg.Dense(3)])
    )
    gg.Trainer(one, "mse").fit(x, y, epochs=3, verbose=0)
    gg.Trainer(other, "mse").fit(expected, y, epochs=3, verbose=0)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.predict(x), other.predict(expected))
    np.testing.assert_array_equal(
        gg.Sequential(gg.Rescale(1 / 255, -0.5, input_shape=(6,)), dtype=dtype).predict(x), expected
    )


def test_a_rescale_that_overflows_is_named():
    model = gg.Sequential(gg.Rescale(1e30, input_shape=(1,)), gg.Dense(1))
    with pytest.raises(ValueError, match=r"layer 'rescale': x · scale \+ offset is too large for float32"):
        model.predict([[1e20]])


def test_samples_of_any_shape_are_flattened():
    x = np.random.default_rng(1).integers(0, 255, (20, 4, 3)).astype(np.uint8)
    y = numbers(20, 2, seed=1)
    flat, shaped, late = (
        gg.Sequential([gg.Rescale(1 / 255), *more, gg.Dense(2)], seed=3)
        for more in ([], [gg.Flatten()], [gg.Flatten()])
    )
    late = gg.Sequential([gg.Flatten(input_shape=(4, 3)), gg.Rescale(1 / 255), gg.Dense(2)], seed=3)
    for model, data in ((flat, x.reshape(20, 12)), (shaped, x), (late, x)):
        gg.Trainer(model, "mse").fit(data, y, epochs=2, verbose=0)
        np.testing.assert_array_equal(model.get_weights()[0], flat.get_weights()[0])
        np.testing.assert_array_equal(model.predict(data), flat.predict(x.reshape(20, 12)))
    assert late.input_shape == (4, 3)
    assert (shaped.input_shape, late.output_shape) == ((12,), (2,))
    np.testing.assert_array_equal(late.predict(x.reshape(20, 12)), late.predict(x))
    with pytest.raises(ValueError, match=r"x must have shape \(n, 4, 3\) or \(n, 12\); given \(20, 3, 4\)"):
        late.predict(x.reshape(20, 3, 4))
    with pytest.raises(ValueError, match=r"x must have shape \(n, 12\).*flatten the samples: x.reshape\(20, 12\)"):
        flat.predict(x)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gg.Dropout(1), ValueError, r"rate must be finite and >= 0 and < 1; given 1"),
        (lambda: gg.Dropout("half"), TypeError, r"rate must be a number; given 'half' of type str"),
        (lambda: BatchNorm(momentum=1), ValueError, r"momentum must be finite and >= 0 and < 1; given 1"),
        (lambda: BatchNorm(epsilon=0), ValueError, r"epsilon must be finite and >= 1\.17.*e-38; given 0"),
        (lambda: LayerNorm(scale=1), TypeError, r"scale must be True or False; given 1"),
        (lambda: gg.Rescale(np.inf), ValueError, r"scale must be finite; given inf"),
        (lambda: gg.Flatten(input_shape=784), TypeError, r"input_shape must be a tuple like \(28, 28\); given 784"),
        (lambda: gg.Flatten(input_shape=()), ValueError, r"input_shape must hold at least one size"),
        (
            lambda: gg.Sequential(gg.Flatten(input_shape=(2, 3)), gg.Dense(2, input_shape=(5,))),
            ValueError,
            r"layer 'dense' has input_shape \(5,\), but layer 'flatten' gives \(6,\)",
        ),
    ],
)
def test_a_wrong_argument_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
