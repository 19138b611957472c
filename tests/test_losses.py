"""Losses as users meet them: what they mean, what is fused with the last activation, and what is refused."""

import numpy as np
import pytest

import ganglion as gg
from ganglion import losses, reference
from small_models import LABELS, VALUES, X, assert_same

YES = (LABELS > 0).astype(np.int64)
ANSWERS = np.column_stack([YES, 1 - YES, LABELS == 2])


def ending(last, outputs, dtype="float64"):
    """A network whose last layer has this activation; all have the same weights."""
    return gg.Sequential(gg.Dense(8, "tanh", input_shape=(4,)), gg.Dense(outputs, last), seed=3, dtype=dtype)


def evaluated(loss, outputs, y):
    """Loss of these outputs themselves."""
    model = gg.Sequential(gg.Identity(input_shape=(outputs.shape[1],)), dtype="float64")
    return gg.Trainer(model, loss).evaluate(outputs, y)


def trained(model, loss, y, epochs=3):
    trainer = gg.Trainer(model, loss, "adam", ["accuracy"])
    history = trainer.fit(X, y, epochs=epochs, verbose=0)
    return model.get_weights(), history.history, trainer.evaluate(X, y)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cross_entropy", gg.CrossEntropy()),
        ("categorical_crossentropy", losses.CategoricalCrossentropy()),
        ("sparse_categorical_crossentropy", losses.SparseCategoricalCrossentropy(from_logits=False)),
        ("binary_cross_entropy", gg.BinaryCrossEntropy(from_logits=True)),
        ("binary_crossentropy", losses.BinaryCrossentropy(from_logits=False)),
        ("mean_squared_error", gg.MeanSquaredError()),
        ("mae", gg.MeanAbsoluteError()),
        ("mean_absolute_error", gg.MeanAbsoluteError()),
        ("huber", gg.Huber(delta=1.0)),
        ("sum_squares_error", gg.SumSquaresError()),
    ],
)
def test_what_names_mean(name, expected):
    found = gg.Trainer(ending("softmax", 3), name).loss
    assert found == expected
    assert type(found) is type(expected)


# Whichever way a network's last activation and the loss of it are written, it is one computation from the logits.
FUSED = {
    "classes": (
        ["cross_entropy", gg.CrossEntropy(from_logits=False), "categorical_crossentropy"],
        "softmax",
        losses.SparseCategoricalCrossentropy(from_logits=True),
        LABELS,
        3,
    ),
    "distributions": (["cross_entropy", "categorical_crossentropy"], "softmax", "cross_entropy", np.eye(3)[LABELS], 3),
    "answers": (
        ["binary_cross_entropy", "binary_crossentropy"],
        "sigmoid",
        losses.BinaryCrossentropy(from_logits=True),
        ANSWERS,
        3,
    ),
    "one answer": (["binary_cross_entropy", "binary_crossentropy"], "sigmoid", "binary_cross_entropy", YES, 1),
}


@pytest.mark.parametrize("case", FUSED)
def test_a_final_squashing_and_its_loss_are_one(case):
    names, last, plain, y, outputs = FUSED[case]
    expected = trained(ending(None, outputs), plain, y)
    for loss in names:
        for model in (
            ending(last, outputs),
            gg.Sequential(*ending(None, outputs).layers, gg.Activation(last), gg.Identity(), seed=3, dtype="float64"),
        ):
            weights, history, evaluation = trained(model, loss, y)
            assert_same(weights, expected[0])
            assert (history, evaluation) == expected[1:]
            squashed = reference.ACTIVATIONS[last].function
            logits = gg.Sequential(*ending(None, outputs).layers, dtype="float64")
            logits.build((4,))
            logits.set_weights(weights)
            np.testing.assert_allclose(model.predict(X), squashed(logits.predict(X)), rtol=1e-13)


@pytest.mark.parametrize(("last", "loss"), [(None, "binary_cross_entropy"), ("sigmoid", "binary_crossentropy")])
def test_metrics_of_yes_or_no_see_probabilities(last, loss):
    model = ending(last, 1)
    p = model.predict(X)[:, 0] if last else reference.sigmoid(model.predict(X)[:, 0])
    assert ((p > 0.5) & (p < reference.sigmoid(np.array(0.5)))).any()  # where a threshold for logits would be wrong
    trainer = gg.Trainer(model, loss, gg.SGD(1e-12), metrics=["accuracy"])
    assert trainer.evaluate(X, p > 0.5)["accuracy"] == 1.0
    assert trainer.fit(X, p > 0.5, verbose=0).history["accuracy"] == [1.0]


def test_without_a_fusion_probabilities_are_taken_as_they_are():
    p = np.array([[0.2, 0.3, 0.5], [0.0, 0.1, 0.3], [2.0, 1.0, 1.0]])
    softplus = gg.Sequential(gg.ReLU(input_shape=(3,)), dtype="float64")
    found = gg.Trainer(softplus, "categorical_crossentropy").evaluate(p, [2, 0, 1])["loss"]
    assert found == pytest.approx(-(np.log(0.5) + np.log(1e-7) + np.log(0.25)) / 3, rel=1e-14)
    found = gg.Trainer(softplus, "binary_crossentropy").evaluate(p[:2], [[0, 1, 1], [0, 0, 1]])["loss"]
    surprises = -np.log([0.8, 0.3, 0.5, 1 - 1e-7, 0.9, 0.3])
    assert found == pytest.approx(surprises.mean(), rel=1e-14)


@pytest.mark.parametrize("size", [1e4, 700.0, 0.0])
@pytest.mark.parametrize("t", [0.0, 0.25, 1.0])
def test_binary_cross_entropy_of_large_logits(size, t):
    found = [evaluated("binary_cross_entropy", np.array([[z]]), [t])["loss"] for z in (size, -size)]
    if size == 0:
        assert found == pytest.approx([np.log(2)] * 2, rel=1e-15)
    else:
        assert found == pytest.approx([(1 - t) * size, t * size], rel=1e-15)


def test_known_values():
    y, t = np.array([[0.1, 0.05, 0.1, 0.0, 0.05, 0.1, 0.0, 0.6, 0.0, 0.0]]), np.eye(10)[[2]]
    assert evaluated("sum_squares_error", y, t)["loss"] == pytest.approx(0.5975, rel=1e-14)
    e = np.array([[0.5, -1.0], [3.0, -4.0]])
    assert evaluated("mae", e, 0 * e)["loss"] == 8.5 / 4
    assert evaluated("huber", e, 0 * e)["loss"] == (0.125 + 0.5 + 2.5 + 3.5) / 4
    assert evaluated(gg.Huber(3.5), e, 0 * e)["loss"] == (0.125 + 0.5 + 4.5 + 3.5 * 2.25) / 4
    assert evaluated("sum_squares_error", e, 0 * e)["loss"] == (0.25 + 1 + 9 + 16) / 2 / 2


def test_the_delta_of_huber_matters_in_training():
    weights = [trained(ending(None, 2), loss, 10 * VALUES)[0] for loss in ("huber", gg.Huber(1.0), gg.Huber(2.0))]
    assert_same(weights[0], weights[1])
    assert not np.array_equal(weights[0][0], weights[2][0])


@pytest.mark.parametrize(
    ("loss", "last", "y"),
    [
        ("mae", None, VALUES),
        ("huber", None, VALUES),
        ("sum_squares_error", None, VALUES),
        ("binary_cross_entropy", None, ANSWERS[:, :2]),
        ("binary_crossentropy", "softmax", ANSWERS[:, :2]),
        ("categorical_crossentropy", "sigmoid", YES),
        (gg.CrossEntropy(from_logits=False), "softplus", YES),
    ],
)
def test_every_loss_is_learnt(loss, last, y):
    model = ending(last, 2, "float32")
    trainer = gg.Trainer(model, loss, gg.Adam(0.02))
    before = trainer.evaluate(X, y)["loss"]
    trainer.fit(X, y, epochs=300, batch_size=25, verbose=0)
    assert trainer.evaluate(X, y)["loss"] < before / 5


ONE_SOFTMAX = gg.Dense(3, "softmax", input_shape=(4,), name="top")
REFUSED = [
    ([ONE_SOFTMAX, gg.Softmax()], "cross_entropy", "layer 'top': a second softmax follows this one, and the loss"),
    ([ONE_SOFTMAX, gg.Softmax()], "categorical_crossentropy", "remove one of them$"),
    (
        [gg.Dense(3, "sigmoid", input_shape=(4,), name="top")],
        "cross_entropy",
        "layer 'top': the loss 'cross_entropy' has a softmax of its own, so that the model must not end in sigmoid as "
        "well; .* use loss='binary_cross_entropy'$",
    ),
    (
        [ONE_SOFTMAX],
        "binary_cross_entropy",
        "layer 'top': the loss 'binary_cross_entropy' has a sigmoid of its own, .* not end in softmax .* use "
        "loss='cross_entropy'$",
    ),
    (
        [gg.Dense(3, input_shape=(4,), name="top")],
        "sparse_categorical_crossentropy",
        "layer 'top': the loss 'categorical_crossentropy' takes probabilities, and these outputs may be negative; end "
        r"the model in softmax, or keep Dense\(classes\) and use from_logits=True, which is loss='cross_entropy'$",
    ),
    (
        [gg.Dense(3, "softmax", input_shape=(4,)), gg.Dense(3, name="top")],
        "categorical_crossentropy",
        "layer 'top': .* takes probabilities",
    ),
    (
        [gg.Dense(3, "tanh", input_shape=(4,), name="top")],
        "binary_crossentropy",
        r"layer 'top': .* end the model in sigmoid, or keep Dense\(1\) and use from_logits=True",
    ),
]


@pytest.mark.parametrize(("layers", "loss", "message"), REFUSED)
def test_what_is_squashed_twice_or_not_at_all_is_refused(layers, loss, message):
    model = gg.Sequential(layers)
    before = model.get_weights()
    y = ANSWERS if "binary" in loss else LABELS
    for use in (gg.Trainer(model, loss).fit, gg.Trainer(model, loss).evaluate):
        with pytest.raises(ValueError, match=message):
            use(X, y)
    assert_same(before, model.get_weights())


@pytest.mark.parametrize("layers", [[gg.Dense(1, "softmax", name="top")], [gg.Dense(1, name="top"), gg.Softmax()]])
def test_a_softmax_of_one_output_before_a_loss_of_yes_or_no_is_refused(layers):
    message = (
        "^layer 'top': a softmax over one output is 1 whatever the weights are, so that nothing would be learned; for "
        "yes or no end the model in sigmoid$"
    )
    for use in ("fit", "evaluate"):
        with pytest.raises(ValueError, match=message):
            getattr(gg.Trainer(gg.Sequential(layers), "binary_crossentropy"), use)(X, ANSWERS[:, 0])


@pytest.mark.parametrize(
    ("outputs", "y", "message"),
    [
        (
            1,
            LABELS,
            r"y must hold 0 for no and 1 for yes, or probabilities; y\[\d+\] is 2; for more than two classes end",
        ),
        (1, 2 * YES - 1, r"y\[\d+\] is -1; for -1 and 1 pass \(y \+ 1\) / 2$"),
        (3, ANSWERS * 1.5, r"y\[\d+, \d\] is 1.5$"),
        (3, YES, r"y must have the shape of the outputs, \(n, 3\); given \(50,\); .*or use loss='cross_entropy'$"),
        (1, np.where(X[:, 0] > 1, np.nan, 1.0), r"y must be finite; y\[\d+.* is nan"),
    ],
)
def test_wrong_answers(outputs, y, message):
    with pytest.raises(ValueError, match=message):
        gg.Trainer(ending("sigmoid", outputs), "binary_crossentropy").fit(X, y)


@pytest.mark.parametrize("y", [YES, YES[:, None], YES.astype(bool), YES.astype(np.float32)])
def test_one_answer_may_be_written_in_any_way(y):
    assert_same(
        trained(ending("sigmoid", 1), "binary_crossentropy", y)[0],
        trained(ending("sigmoid", 1), "binary_crossentropy", YES)[0],
    )


def test_a_step_predicts_and_evaluates_and_is_not_trained():
    model = gg.Sequential(gg.Dense(8, input_shape=(4,)), gg.Step(name="gate"), gg.Dense(3), dtype="float64")
    (kernel, bias), (top, end) = model.get_weights()[:2], model.get_weights()[2:]
    expected = (X.astype(np.float64) @ kernel + bias > 0) @ top + end
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-12)
    trainer = gg.Trainer(model, "cross_entropy", metrics=["accuracy"])
    assert trainer.evaluate(X, LABELS)["accuracy"] == np.mean(expected.argmax(axis=1) == LABELS)
    before = model.get_weights()
    for use in (trainer.fit, trainer.train_on_batch, lambda x, y: gg.verify(model, x, y)):
        with pytest.raises(
            ValueError,
            match=r"^layer 'dense': a step is flat .* cannot be trained; train with activation=.sigmoid., and put",
        ):
            use(X, LABELS)
    assert trainer.history is None
    assert_same(before, model.get_weights())


def test_a_step_before_all_weights_may_be_trained_behind():
    model = gg.Sequential(gg.Step(input_shape=(4,)), gg.Dense(3))
    same = gg.Sequential(gg.Dense(3, input_shape=(4,)))
    same.set_weights(model.get_weights())
    weights, history, _ = trained(model, "cross_entropy", LABELS)
    gg.Trainer(same, "cross_entropy").fit((X > 0).astype(np.float32), LABELS, epochs=3, verbose=0)
    assert_same(weights, same.get_weights())
    assert history["loss"][-1] < history["loss"][0]


def test_a_hidden_squashing_says_nothing_about_the_outputs():
    model = gg.Sequential(gg.Dense(8, "sigmoid", input_shape=(4,)), gg.Dense(1))
    with pytest.raises(ValueError, match="predict_classes needs a classifier"):
        model.predict_classes(X)
    logits = gg.Sequential(gg.Dense(8, "softmax", input_shape=(4,)), gg.Dense(3))
    assert logits.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert logits.predict(X).sum(axis=1) != pytest.approx(1)
