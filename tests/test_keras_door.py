"""Keras's way of using a model: its names, order and defaults of arguments, and its results, by the one trainer."""

import inspect

import numpy as np
import pytest

import ganglion as gg
from ganglion import Sequential, layers
from small_models import LABELS, VALUES, X, assert_same, classifier, regressor

# A text as users of Keras write it, but for its import line.
FIRST_MODEL = """
from ganglion import layers, Sequential
model = Sequential([
    layers.Dense(units=4, activation='relu', input_shape=[2]),
    layers.Dense(units=3, activation='relu'),
    layers.Dense(units=1),
])
model.compile(optimizer="adam", loss="mae")
history = model.fit(X_train, y_train, validation_data=(X_valid, y_valid), batch_size=256, epochs=10)
history.history["loss"]; model.evaluate(X_valid, y_valid); model.predict(X_valid)
"""

CLASSIFIER = """
from ganglion import Sequential, layers
model = Sequential()
model.add(layers.Input(shape=(2,)))
model.add(layers.Dense(8, activation="tanh"))
model.add(layers.Dense(3))
model.add(layers.Activation("softmax"))
model.compile("sgd", "cross_entropy", metrics=["accuracy"])
history = model.fit(X_train, labels, 32, 3, validation_split=0.25, verbose=0)
score = model.evaluate(X_valid, labels[:len(X_valid)], verbose=0)
print("accuracy:", score[1])
"""

OLD = """
from ganglion.layers import Dense
from ganglion import Sequential
model = Sequential()
model.add(Dense(12, input_dim=2, kernel_initializer="he_uniform", activation="relu"))
model.add(Dense(1, activation="linear"))
model.compile(loss="mean_squared_error", optimizer="Adam", metrics=[])
model.fit(X_train, y_train, epochs=5, batch_size=10, verbose=False)
predictions = model.predict(X_valid, batch_size=64, verbose=0)
weights = model.get_weights(); model.set_weights(weights); model.summary()
"""


@pytest.fixture
def data():
    x = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    y = x[:, 0] - 2 * x[:, 1]
    labels = (x[:, 0] > 0) + (x[:, 1] > 0).astype(int)
    return {"X_train": x, "y_train": y, "X_valid": x[:200], "y_valid": y[:200], "labels": labels}


def test_the_text_of_a_first_lesson(data):
    exec(FIRST_MODEL, data)
    history = data["history"]
    assert list(history.history) == ["loss", "val_loss"]
    assert history.epoch == list(range(10))
    assert isinstance(data["model"].evaluate(data["X_valid"], data["y_valid"]), float)
    assert data["model"].predict(data["X_valid"]).shape == (200, 1)


def test_the_text_of_a_classifier(data, capsys):
    exec(CLASSIFIER, data)
    assert list(data["history"].history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert data["history"].epoch == [0, 1, 2]
    assert [type(value) for value in data["score"]] == [float, float]
    assert capsys.readouterr().out == f"accuracy: {data['score'][1]}\n"


def test_the_text_of_an_older_lesson(data, capsys):
    exec(OLD, data)
    assert data["predictions"].shape == (200, 1)
    assert [array.shape for array in data["weights"]] == [(2, 12), (12,), (12, 1), (1,)]
    assert "dense_1 (Dense)" in capsys.readouterr().out


# One engine


def test_fit_is_the_trainers():
    model, same = classifier(), classifier()
    model.compile("adam", "cross_entropy", metrics=["accuracy"])
    history = model.fit(X, LABELS, epochs=3, batch_size=7, validation_split=0.2, verbose=0)
    trainer = gg.Trainer(same, "cross_entropy", "adam", ["accuracy"])
    expected = trainer.fit(X, LABELS, epochs=3, batch_size=7, validation_split=0.2, verbose=0)
    assert history.history == expected.history
    assert model.history is history
    assert_same(model.get_weights(), same.get_weights())
    assert model.evaluate(X, LABELS, verbose=0) == list(trainer.evaluate(X, LABELS).values())


def test_a_batch_has_thirty_two_rows():
    model, same = classifier(), classifier()
    model.compile(optimizer="sgd", loss="cross_entropy")
    model.fit(X, LABELS, verbose=0)
    gg.Trainer(same, "cross_entropy", "sgd").fit(X, LABELS, epochs=1, batch_size=32, verbose=0)
    assert_same(model.get_weights(), same.get_weights())


def test_fitting_twice_goes_on_and_compiling_begins_anew():
    model, same = classifier(), classifier()
    model.compile("adam", "cross_entropy")
    for _ in range(2):
        model.fit(X, LABELS, verbose=0)
    gg.Trainer(same, "cross_entropy").fit(X, LABELS, epochs=2, verbose=0)
    assert_same(model.get_weights(), same.get_weights())
    model.compile("adam", "cross_entropy")
    model.fit(X, LABELS, verbose=0)
    gg.Trainer(same, "cross_entropy").fit(X, LABELS, verbose=0)
    assert_same(model.get_weights(), same.get_weights())


def test_the_order_of_arguments_is_kerass():
    first = {
        "compile": ["optimizer", "loss"],
        "fit": [
            *("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split", "validation_data"),
            *("shuffle", "class_weight", "sample_weight", "initial_epoch"),
        ],
        "evaluate": ["x", "y", "batch_size", "verbose", "sample_weight"],
        "predict": ["x", "batch_size", "verbose"],
        "train_on_batch": ["x", "y", "sample_weight", "class_weight", "return_dict"],
        "test_on_batch": ["x", "y", "sample_weight", "return_dict"],
    }
    for method, names in first.items():
        assert list(inspect.signature(getattr(Sequential, method)).parameters)[1 : 1 + len(names)] == names, method


def test_what_is_left_out_is_not_passed_on(monkeypatch):
    given = []
    monkeypatch.setattr(gg.Trainer, "fit", lambda self, x, y, **options: given.append(options))
    model = classifier()
    model.compile("sgd", "cross_entropy")
    model.fit(X, LABELS)
    plain = {"epochs": 1, "verbose": "auto", "validation_split": 0.0, "shuffle": True}
    assert given.pop() == plain
    others = {
        "batch_size": 5,
        "callbacks": [print],
        "validation_data": (X, LABELS),
        "class_weight": {0: 2.0},
        "sample_weight": np.ones(50),
        "initial_epoch": 2,
    }
    model.fit(X, LABELS, **others, validation_batch_size=7, validation_freq=1, steps_per_epoch=None)
    assert given.pop() == plain | others


# Results


def test_evaluate_gives_a_number_a_list_or_a_dict(capsys):
    model = regressor()
    model.compile("sgd", "mse")
    loss = model.evaluate(X, VALUES)
    assert isinstance(loss, float)
    assert capsys.readouterr().out == f"loss {loss:.4g}\n"
    assert model.evaluate(X, VALUES, batch_size=7, verbose=0) == loss
    assert model.evaluate(X, VALUES, verbose=0, return_dict=True) == {"loss": loss}
    assert model.test_on_batch(X, VALUES) == loss
    model = classifier()
    model.compile("sgd", "cross_entropy", metrics="accuracy")
    loss, accuracy = model.evaluate(X, LABELS, verbose=2)
    assert capsys.readouterr().out == f"loss {loss:.4g}  accuracy {accuracy:.4g}\n"
    assert model.evaluate(X, LABELS, verbose=0, return_dict=True) == {"loss": loss, "accuracy": accuracy}
    assert model.metrics_names == ["loss", "accuracy"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["acc", "accuracy", "sparse_categorical_accuracy"])
def test_metrics_are_called_as_they_are_given(name):
    model, same = classifier(), classifier()
    model.compile("sgd", "cross_entropy", metrics=[name])
    history = model.fit(X, LABELS, validation_split=0.2, verbose=0)
    assert list(history.history) == ["loss", name, "val_loss", f"val_{name}"]
    assert model.metrics_names == ["loss", name]
    assert set(model.evaluate(X, LABELS, verbose=0, return_dict=True)) == {"loss", name}
    trainer = gg.Trainer(same, "cross_entropy", "sgd", ["accuracy"])
    assert history.history[name] == trainer.fit(X, LABELS, validation_split=0.2, verbose=0).history["accuracy"]
    model.compile("sgd", "cross_entropy", metrics=[gg.metrics.Accuracy()])
    assert model.metrics_names == ["loss", "accuracy"]


def test_train_on_batch_gives_this_batchs_values():
    model, same = classifier(), classifier()
    model.compile("sgd", "cross_entropy", metrics=["accuracy"])
    before = model.evaluate(X, LABELS, verbose=0)
    loss, accuracy = model.train_on_batch(X, LABELS)
    assert [loss, accuracy] == before
    assert gg.Trainer(same, "cross_entropy", "sgd").train_on_batch(X, LABELS) == loss
    assert_same(model.get_weights(), same.get_weights())
    assert set(model.train_on_batch(X, LABELS, return_dict=True)) == {"loss", "accuracy"}
    model.compile("sgd", "cross_entropy")
    assert isinstance(model.train_on_batch(X, LABELS), float)


def test_predict_takes_kerass_arguments():
    model = classifier()
    for options in ({"batch_size": 7}, {"verbose": 0}, {"verbose": "auto"}, {"verbose": 1, "steps": None}):
        np.testing.assert_array_equal(model.predict(X, **options), model.predict(X))
    np.testing.assert_array_equal(model.predict(X, 7, 0), model.predict(X))


def test_what_a_compiled_model_shows():
    model = classifier()
    model.compile(gg.SGD(0.25, momentum=0.5), "mse", threads=1)
    assert repr(model.optimizer) == "SGD(learning_rate=0.25, momentum=0.5)"
    assert model.optimizer.momentum == 0.5
    assert model.loss == gg.MeanSquaredError()
    assert model.trainer.threads == 1
    assert model.history is None
    assert isinstance(model.layers, list)


def test_the_learning_rate_can_be_read_and_set():
    model, same = classifier(), classifier()
    model.compile(gg.SGD(0.1), "cross_entropy")
    assert model.optimizer.learning_rate == 0.1
    model.optimizer.learning_rate = 0.05
    assert model.optimizer.learning_rate == model.trainer.learning_rate == 0.05
    model.fit(X, LABELS, verbose=0)
    same.compile(gg.SGD(0.05), "cross_entropy")
    same.fit(X, LABELS, verbose=0)
    assert_same(model.get_weights(), same.get_weights())
    model.optimizer.learning_rate *= 2
    assert model.optimizer.learning_rate == 0.1
    with pytest.raises(AttributeError, match="only learning_rate can be set; for another momentum compile again"):
        model.optimizer.momentum = 0.5


def test_a_callback_may_set_stop_training_on_the_model():
    model = classifier()
    model.compile("sgd", "cross_entropy")

    def stop(epoch, logs):
        model.stop_training = epoch == 2

    assert model.fit(X, LABELS, epochs=9, callbacks=[stop], verbose=0).epoch == [0, 1, 2]
    assert model.stop_training


def test_the_optimizer_is_rmsprop_by_default():
    model = regressor()
    model.compile(loss="mse")
    assert repr(model.optimizer) == "RMSprop()"


# Building


def test_layers_can_be_added_one_by_one():
    model = Sequential(seed=3)
    model.add(layers.Dense(8, "tanh", input_shape=(4,)))
    model.add(layers.Dense(3))
    same = Sequential(gg.Dense(8, "tanh", input_shape=(4,)), gg.Dense(3), seed=3)
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
    assert model.layers == same.layers
    assert_same(model.get_weights(), same.get_weights())


def test_layers_added_to_a_trained_model_leave_its_weights():
    model = classifier()
    model.compile("sgd", "cross_entropy")
    model.fit(X, LABELS, verbose=0)
    before = model.get_weights()
    model.add(layers.Dense(2, name="top"))
    assert_same(before, model.get_weights()[:4])
    assert model.output_shape == (2,)
    assert list(model.state_dict())[4:] == ["top.kernel", "top.bias"]
    with pytest.raises(gg.errors.NotCompiledError, match="again after add"):
        model.fit(X, LABELS)
    model.compile("sgd", "mse")
    assert model.fit(X, VALUES, verbose=0).epoch == [0]


def test_a_layer_that_does_not_fit_changes_nothing():
    model = classifier()
    model.compile("sgd", "cross_entropy")
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"layer 'dense_2' has input_shape \(7,\), but layer 'dense_1' gives \(3,\)"):
        model.add(layers.Dense(2, input_shape=(7,)))
    with pytest.raises(ValueError, match="two layers have the name 'dense'"):
        model.add(layers.Dense(2, name="dense"))
    with pytest.raises(TypeError, match=r"must be a layer, like Dense\(10\) or ReLU\(\); given 3"):
        model.add(3)
    assert len(model.layers) == 2
    assert_same(before, model.get_weights())
    model.fit(X, LABELS, verbose=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Sequential([layers.Input((4,)), layers.Dense(3)]),
        lambda: Sequential(layers.Input([4]), layers.Dense(3)),
        lambda: Sequential([layers.Input(shape=(4,)), layers.Dense(3, input_shape=(4,))]),
        lambda: Sequential([layers.Dense(3, input_dim=4)]),
        lambda: Sequential([layers.Dense(3, input_shape=[4])]),
    ],
)
def test_ways_to_say_the_inputs_shape(make):
    model = make()
    assert model.input_shape == (4,)
    assert model.layers == Sequential(gg.Dense(3, input_shape=(4,))).layers
    assert model.copy().input_shape == (4,)


@pytest.mark.parametrize("begin", [[layers.Input((4,))], [[layers.Input((4,))]]])
def test_the_inputs_shape_may_come_before_any_layer(begin):
    model = Sequential(*begin)
    model.add(layers.Dense(3))
    assert model.input_shape == (4,)


# Names as Keras spells them


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (lambda: layers.Dense(3, "ReLU"), lambda: gg.Dense(3, "relu")),
        (lambda: layers.Dense(3, "LeakyReLU"), lambda: gg.Dense(3, "leaky_relu")),
        (lambda: layers.Dense(3, "linear"), lambda: gg.Dense(3, "identity")),
        (
            lambda: layers.Dense(3, kernel_initializer="HeNormal", bias_initializer="Zeros"),
            lambda: gg.Dense(3, kernel_initializer="he_normal"),
        ),
        (lambda: layers.Activation("Softmax"), lambda: gg.Activation("softmax")),
        (lambda: layers.LeakyReLU(alpha=0.3), lambda: gg.LeakyReLU(0.3)),
        (lambda: layers.ELU(alpha=0.5), lambda: gg.ELU(0.5)),
        (lambda: layers.Rescaling(1.0 / 255), lambda: gg.Rescale(1 / 255)),
        (lambda: gg.optimizers.Adam(beta_1=0.8, beta_2=0.99), lambda: gg.Adam(beta1=0.8, beta2=0.99)),
        (lambda: gg.optimizers.Adagrad(initial_accumulator_value=0.1), lambda: gg.AdaGrad(initial_accumulator=0.1)),
        (lambda: gg.Trainer(classifier(), "mse", "RMSprop").optimizer, lambda: gg.RMSprop()),
        (lambda: gg.Trainer(classifier(), "mse", "Adagrad").optimizer, lambda: gg.AdaGrad()),
        (lambda: gg.Adam(clipvalue=0.5, beta_1=0.8), lambda: gg.Adam(clip_value=0.5, beta1=0.8)),
        (lambda: gg.SGD(0.1, global_clipnorm=1.0), lambda: gg.SGD(0.1, clip_norm=1.0)),
        (lambda: gg.initializers.Normal(mean=0.0, stddev=0.1), lambda: gg.initializers.Normal(0.1)),
        (lambda: gg.initializers.Uniform(minval=0, maxval=1), lambda: gg.initializers.Uniform(0, 1)),
        (
            lambda: layers.Dense(3, kernel_initializer="RandomNormal", bias_initializer="Ones"),
            lambda: gg.Dense(3, kernel_initializer="normal", bias_initializer="ones"),
        ),
        (lambda: gg.Trainer(classifier(), "MeanSquaredError").loss, lambda: gg.MeanSquaredError()),
        (lambda: gg.Trainer(classifier(), "MSE", "SGD").optimizer, lambda: gg.SGD()),
    ],
)
def test_names_as_keras_spells_them(given, meant):
    assert given() == meant()


def test_arguments_that_say_how_keras_executes_mean_nothing():
    model = classifier()
    model.compile("sgd", "cross_entropy", run_eagerly=True, jit_compile="auto", steps_per_execution=8)
    model.fit(X, LABELS, verbose=0, workers=4, use_multiprocessing=False, max_queue_size=10)
    assert model.history.epoch == [0]


@pytest.mark.parametrize("description", [gg.Dense, gg.Adam, gg.LeakyReLU])
def test_a_description_shows_its_arguments(description):
    parameters = inspect.signature(description).parameters
    assert "self" not in parameters
    assert {"units", "learning_rate", "negative_slope"} & set(parameters)
