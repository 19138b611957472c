"""Wrong uses of a model in Keras's way: each is refused with what to do instead, and changes nothing."""

import re

import pytest

import ganglion as gg
from ganglion import Sequential, layers
from small_models import LABELS, X, assert_same, classifier

WRONG = [
    (
        lambda m: m.fit(X, LABELS, epoch=3),
        TypeError,
        "unknown argument of fit 'epoch'; known: x, y, batch_size, epochs,",
    ),
    (lambda m: m.fit(X, LABELS, epoch=3), TypeError, "initial_epoch; did you mean 'epochs'?"),
    (lambda m: m.fit(X, LABELS, nb_epoch=3), TypeError, "did you mean 'epochs'?"),
    (lambda m: m.fit(X, LABELS, bs=3), TypeError, "did you mean 'batch_size'?"),
    (lambda m: m.fit(X, LABELS, val_split=0.1), TypeError, "did you mean 'validation_split'?"),
    (lambda m: m.fit(X_train=X, y=LABELS), TypeError, "unknown argument of fit 'X_train'; known: x, y,"),
    (lambda m: m.fit(X, LABELS, lr=0.1), TypeError, "it is the optimizer's: optimizer=Adam(learning_rate=0.01)"),
    (
        lambda m: m.fit(X, LABELS, steps_per_epoch=3),
        ValueError,
        "fit takes steps_per_epoch=None alone; given 3: an epoch goes through all of x once; to see less of it, pass",
    ),
    (lambda m: m.fit(X, LABELS, validation_freq=2), ValueError, "fit takes validation_freq=1 alone; given 2: every"),
    (lambda m: m.fit(X, LABELS, validation_steps=2), ValueError, "fit takes validation_steps=None alone; given 2: all"),
    (lambda m: m.fit(X), TypeError, "y is missing: give one target for each row; given None"),
    (lambda m: m.fit(X, LABELS, batch_size="32"), TypeError, "batch_size must be an integer; given '32' of type str"),
    (
        lambda m: m.evaluate(X, LABELS, batchsize=3),
        TypeError,
        "unknown argument of evaluate 'batchsize'; known: x, y, bat",
    ),
    (lambda m: m.evaluate(X, LABELS, batch_size=0), ValueError, "batch_size must be at least 1; given 0"),
    (
        lambda m: m.evaluate(X, LABELS, steps=3),
        ValueError,
        "evaluate takes steps=None alone; given 3: all of x is used",
    ),
    (
        lambda m: m.evaluate(X, LABELS, callbacks=[1]),
        ValueError,
        "evaluate takes callbacks=None alone; given [1]: they",
    ),
    (lambda m: m.evaluate(X, LABELS, verbose=3), ValueError, "verbose must be 'auto', 0, 1 or 2; given 3"),
    (
        lambda m: m.evaluate(X, LABELS, return_dict=1),
        TypeError,
        "return_dict must be True or False; given 1 of type int",
    ),
    (lambda m: m.predict(X, batch_size=0), ValueError, "batch_size must be at least 1; given 0"),
    (
        lambda m: m.predict(X, batch=3),
        TypeError,
        "unknown argument of predict 'batch'; known: x, batch_size, verbose, th",
    ),
    (lambda m: m.predict(X, verbose=7), ValueError, "verbose must be 'auto', 0, 1 or 2; given 7"),
    (lambda m: m.predict(X, steps=7), ValueError, "predict takes steps=None alone; given 7: all of x is used"),
    (
        lambda m: m.train_on_batch(X, LABELS, reset_metrics=1),
        TypeError,
        "unknown argument of train_on_batch 'reset_metrics'",
    ),
    (lambda m: m.compile("adam"), TypeError, "compile needs a loss, like loss='mse' or loss='cross_entropy'"),
    (
        lambda m: m.compile("adam", los="mse"),
        TypeError,
        "unknown argument of compile 'los'; known: optimizer, loss, metr",
    ),
    (lambda m: m.compile("adam", criterion="mse"), TypeError, "did you mean 'loss'?"),
    (
        lambda m: m.compile("adam", "mse", lr=0.1),
        TypeError,
        "it is the optimizer's: optimizer=Adam(learning_rate=0.01)",
    ),
    (
        lambda m: m.compile("adam", "mse", loss_weights=[2]),
        ValueError,
        "compile takes loss_weights=None alone; given [2]:",
    ),
    (lambda m: m.compile("adam", "mse", weighted_metrics=["accuracy"]), ValueError, "put them into metrics"),
    (lambda m: m.compile("adamm", "mse"), ValueError, "unknown optimizer 'adamm'; known: sgd, adam"),
    (
        lambda m: m.compile("adam", "mse", metrics=["accuracyy"]),
        ValueError,
        "unknown metric 'accuracyy'; known: accuracy",
    ),
    (lambda m: m.compile(gg.Adam, "mse"), TypeError, "given the class itself: write Adam()"),
    (lambda m: m.add(layers.Dense), TypeError, "is the class Dense itself; write Dense(…)"),
    (lambda m: m.add(layers.Input((4,))), ValueError, "Input comes before all layers, and once; this model has its"),
    (
        lambda m: m.layers[0].get_weights(),
        AttributeError,
        "a layer is a description and holds no arrays; model.state_dict()",
    ),
    (
        lambda m: m.layers[0].kernel,
        AttributeError,
        "model.state_dict() has 'dense.kernel', model.set_weights writes all",
    ),
    (
        lambda m: layers.Dense(unit=3),
        TypeError,
        "unknown argument of Dense 'unit'; known: units, activation, input_shape",
    ),
    (lambda m: layers.Dense(3, actvation="relu"), TypeError, "did you mean 'activation'?"),
    (
        lambda m: layers.Dense(3, input_dim=2, input_shape=(2,)),
        TypeError,
        "Dense takes input_shape or input_dim, which mean",
    ),
    (lambda m: layers.Dense(3, input_dim=0), ValueError, "input_shape must be at least 1; given 0"),
    (lambda m: layers.Input(4), TypeError, "shape must be a tuple like (28, 28); given 4 of type int"),
    (
        lambda m: Sequential(layers.Input((4,)), layers.Dense(3, input_shape=(5,))),
        ValueError,
        "Input has shape (4,), but",
    ),
    (
        lambda m: Sequential(layers.Dense(3), layers.Input((3,))),
        TypeError,
        "layer 1 is an Input; it comes before all lay",
    ),
    (
        lambda m: Sequential(layers.Input((3,)), 3),
        TypeError,
        "layer 0 must be a layer, like Dense(10) or ReLU(); given 3",
    ),
    (
        lambda m: gg.Adam(lr=0.1),
        TypeError,
        "unknown argument of Adam 'lr'; known: learning_rate, beta1, beta2, epsilon",
    ),
    (lambda m: gg.Adam(lr=0.1), TypeError, "did you mean 'learning_rate'?"),
    (lambda m: gg.Adam(beta_1=0.9, beta1=0.8), TypeError, "Adam takes beta1 or beta_1, which mean the same, not both"),
    (lambda m: gg.SGD(0.1, clipnorm=1.0), TypeError, "clip_norm, its global_clipnorm, has one for all"),
    (lambda m: gg.SGD(0.1, decay=1e-6), TypeError, "give learning_rate a schedule, like LinearDecay(0.1, 0.0, 1000)"),
]


@pytest.mark.parametrize(("use", "error", "message"), WRONG)
def test_wrong_uses(use, error, message):
    model = classifier()
    model.compile("adam", "cross_entropy")
    before = model.get_weights()
    with pytest.raises(error, match=re.escape(message)):
        use(model)
    assert_same(before, model.get_weights())


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m.fit(X, LABELS),
        lambda m: m.evaluate(X, LABELS),
        lambda m: m.train_on_batch(X, LABELS),
        lambda m: m.test_on_batch(X, LABELS),
        lambda m: m.optimizer,
        lambda m: m.loss,
        lambda m: m.metrics_names,
        lambda m: m.history,
        lambda m: m.trainer,
    ],
)
def test_compile_comes_first(use):
    message = r"needs a compiled model: call compile\(optimizer='adam', loss='mse'\) with your own choice first"
    with pytest.raises(gg.errors.NotCompiledError, match=message):
        use(classifier())
    assert issubclass(gg.errors.NotCompiledError, (ValueError, AttributeError))
