"""What people get wrong with models and their training, and all that they are told, word for word."""

import numpy as np
import pytest

import ganglion as gg
from ganglion import layers, nn, optim
from small_models import LABELS, VALUES, X, assert_said, classifier, regressor


def ending_in(units):
    return gg.Sequential(gg.Dense(units, input_shape=(4,)))


def fit(loss="cross_entropy", model=classifier, metrics=(), **options):
    return gg.Trainer(model(), loss, metrics=metrics).fit(**{"x": X, "y": LABELS, "verbose": 0, **options})


MODELS = [
    (
        lambda: gg.Dense(10, "rellu"),
        ValueError,
        "unknown activation 'rellu'; known: identity, linear, sigmoid, tanh, relu, leaky_relu, elu, selu, softplus, "
        "swish, silu, gelu, step, heaviside, softmax; did you mean 'relu'?",
    ),
    (
        lambda: gg.Dense(10, gg.ReLU),
        TypeError,
        "activation must be the name of an activation or an object of its class; given the class itself: write ReLU()",
    ),
    (
        lambda: gg.Dense(784, 10),
        TypeError,
        "Dense takes its outputs alone, Dense(10), and input_shape=(784,) where it is the first; given Dense(784, "
        "10), which is Linear's way",
    ),
    (lambda: gg.Dense(32.0), TypeError, "units must be an integer; given 32.0 of type float"),
    (lambda: gg.Dense(0), ValueError, "units must be at least 1; given 0"),
    (
        lambda: gg.Dense(10, input_shape=784),
        TypeError,
        "input_shape must be a tuple like (784,); given 784 of type int",
    ),
    (
        lambda: gg.Dense(10, kernel_initializer="glorot"),
        ValueError,
        "unknown kernel_initializer 'glorot'; known: zeros, ones, constant, normal, random_normal, uniform, "
        "random_uniform, glorot_uniform, xavier_uniform, glorot_normal, xavier_normal, he_uniform, kaiming_uniform, "
        "he_normal, kaiming_normal, lecun_uniform, lecun_normal, fan_in_uniform, orthogonal; did you mean "
        "'glorot_normal'?",
    ),
    (lambda: gg.Dropout(20), ValueError, "rate must be finite and >= 0 and < 1; given 20; for 20 % write 0.2"),
    (lambda: gg.Sequential(gg.Dense(3), gg.Dense), TypeError, "layer 1 is the class Dense itself; write Dense(…)"),
    (
        lambda: gg.Sequential(gg.Dense(3, name="a"), gg.Dense(3, name="a")),
        ValueError,
        "two layers have the name 'a'; names must be unique within a model",
    ),
    (
        lambda: gg.Sequential(gg.Dense(3, input_shape=(2,)), gg.Dense(3, input_shape=(5,))),
        ValueError,
        "layer 'dense_1' has input_shape (5,), but layer 'dense' gives (3,)",
    ),
    (lambda: classifier(dtype="float16"), ValueError, "dtype must be 'float32' or 'float64'; given 'float16'"),
    (
        lambda: gg.Sequential(gg.Dense(2**20, input_shape=(2**20,))),
        MemoryError,
        "not enough memory for 1,099,512,676,352 parameters in float32, 4.4 TB",
    ),
    (
        lambda: gg.Sequential(gg.Dense(3)).predict(X),
        gg.errors.NotFittedError,
        "the model does not know its input's size yet: give its first layer input_shape=(features,), call "
        "build((features,)), or fit it",
    ),
    (
        lambda: gg.Sequential().predict(X),
        gg.errors.NotFittedError,
        "a model needs at least one layer: add(Dense(10)) appends one",
    ),
    (
        lambda: classifier()(X),
        TypeError,
        "a model is not called: model.predict(x) gives its outputs; for a loop with loss.backward() make it an "
        "nn.Sequential",
    ),
    (
        lambda: classifier().fit(X, LABELS),
        gg.errors.NotCompiledError,
        "fit needs a compiled model: call compile(optimizer='adam', loss='mse') with your own choice first, and "
        "again after add; or use Trainer(model, loss)",
    ),
    (
        lambda: regressor(1).predict_classes(X),
        ValueError,
        "predict_classes needs a classifier: two or more outputs, or one with activation='sigmoid'; the model has "
        "one output of another kind: end it in one of these, or compare predict(x) with a threshold of yours",
    ),
    (
        lambda: classifier().layers[0].get_weights(),
        AttributeError,
        "a layer is a description and holds no arrays; model.state_dict() has 'dense.kernel', model.set_weights "
        "writes all",
    ),
    (
        lambda: classifier().set_weights([np.zeros((8, 4)), np.zeros(8), np.zeros((8, 3)), np.zeros(3)]),
        ValueError,
        "dense.kernel must have shape (4, 8); given (8, 4); pass its transpose, .T",
    ),
    (
        lambda: classifier().set_weights([]),
        ValueError,
        "weights must be 4 arrays: dense.kernel (4, 8), dense.bias (8,), dense_1.kernel (8, 3), dense_1.bias (3,); "
        "given 0",
    ),
    (
        lambda: fit(model=lambda: ending_in(1)),
        ValueError,
        "cross_entropy needs one output per class, at least 2; the model has 1: end it in Dense(2) for two classes, "
        "or use loss='binary_cross_entropy' or loss='mse'",
    ),
    (
        lambda: fit("sparse_categorical_crossentropy"),
        ValueError,
        "layer 'dense_1': the loss 'categorical_crossentropy' takes probabilities, and these outputs may be "
        "negative; end the model in softmax, or keep Dense(classes) and use from_logits=True, which is "
        "loss='cross_entropy'",
    ),
    (
        lambda: fit(model=lambda: gg.Sequential(gg.Dense(5, "step", input_shape=(4,)), gg.Dense(3))),
        ValueError,
        "layer 'dense': a step is flat on both sides, so that no gradient passes it and the weights before it cannot "
        'be trained; train with activation="sigmoid", and put these weights into a model with the step to predict',
    ),
    (
        lambda: layers.Conv2D,
        AttributeError,
        "module 'ganglion.layers' has no attribute 'Conv2D': ganglion has dense networks: Dense, activations, "
        "normalizations and Dropout",
    ),
    (
        lambda: nn.Conv2d,
        AttributeError,
        "module 'ganglion.nn' has no attribute 'Conv2d': ganglion has dense networks: nn.Linear, activations, "
        "normalizations and nn.Dropout",
    ),
    (
        lambda: nn.Dense,
        AttributeError,
        "module 'ganglion.nn' has no attribute 'Dense': it is nn.Linear(in_features, out_features)",
    ),
    (
        lambda: nn.Module,
        AttributeError,
        "module 'ganglion.nn' has no attribute 'Module': a network is an nn.Sequential of layers",
    ),
]
TRAINING = [
    (
        lambda: gg.Trainer(classifier(), "mse", lr=0.1),
        TypeError,
        "unknown argument of Trainer 'lr'; known: model, loss, optimizer, metrics, accumulate, threads; it is the "
        "optimizer's: optimizer=Adam(learning_rate=0.01)",
    ),
    (
        lambda: gg.Trainer(classifier(), "mse", optim="sgd"),
        TypeError,
        "unknown argument of Trainer 'optim'; known: model, loss, optimizer, metrics, accumulate, threads; did you "
        "mean 'optimizer'?",
    ),
    (
        lambda: gg.Trainer(classifier(), "mse", batch_size=32),
        TypeError,
        "unknown argument of Trainer 'batch_size'; known: model, loss, optimizer, metrics, accumulate, threads; it "
        "is fit's: fit(x, y, batch_size=…)",
    ),
    (
        lambda: gg.Trainer(classifier(), "bce"),
        ValueError,
        "unknown loss 'bce'; known: cross_entropy, categorical_crossentropy, sparse_categorical_crossentropy, "
        "binary_cross_entropy, binary_crossentropy, mse, mean_squared_error, mae, mean_absolute_error, huber, "
        "sum_squares_error; use 'binary_cross_entropy', which takes logits, or 'binary_crossentropy', which takes "
        "probabilities",
    ),
    (
        lambda: gg.Trainer(classifier(), "mse", "adm"),
        ValueError,
        "unknown optimizer 'adm'; known: sgd, adam, adamw, rmsprop, adagrad; did you mean 'adam'?",
    ),
    (
        lambda: gg.Trainer(classifier(), "mse", metrics="accuracy"),
        TypeError,
        "metrics must be a list, like ['accuracy']; given 'accuracy'",
    ),
    (
        lambda: fit(epoch=3),
        TypeError,
        "unknown argument of fit 'epoch'; known: x, y, epochs, batch_size, validation_split, validation_data, "
        "shuffle, sample_weight, class_weight, callbacks, initial_epoch, verbose; did you mean 'epochs'?",
    ),
    (lambda: fit(epochs=-1), ValueError, "epochs must be at least 0; given -1"),
    (lambda: fit(batch_size="32"), TypeError, "batch_size must be an integer; given '32' of type str"),
    (lambda: fit(epochs=True), TypeError, "epochs must be an integer; given True of type bool"),
    (
        lambda: gg.Trainer(classifier(), "cross_entropy").fit(X, LABELS, 10),
        TypeError,
        "fit takes x and y by position and all else by name, like epochs=5; given 10",
    ),
    (
        lambda: fit(validation_split=20),
        ValueError,
        "validation_split must be finite and >= 0 and < 1; given 20; for 20 % write 0.2",
    ),
    (
        lambda: fit(callbacks=[gg.EarlyStopping]),
        TypeError,
        "callbacks[0] must be a Callback or a function f(epoch, logs) for the ends of epochs; given the class "
        "EarlyStopping itself: write EarlyStopping()",
    ),
    (
        lambda: fit(callbacks=[gg.EarlyStopping()]),
        ValueError,
        "EarlyStopping watches 'val_loss', but this fit reports loss: give it validation_data or validation_split, "
        "or watch one of these",
    ),
    (
        lambda: fit(callbacks=[gg.EarlyStopping("val_accuracy")], validation_split=0.1),
        ValueError,
        "EarlyStopping watches 'val_accuracy', but this fit reports loss, val_loss: watch one of these, or add it to "
        "the trainer's metrics",
    ),
    (
        lambda: gg.EarlyStopping(patence=3),
        TypeError,
        "unknown argument of EarlyStopping 'patence'; known: monitor, patience, min_delta, mode, baseline, "
        "restore_best_weights, start_from_epoch, verbose; did you mean 'patience'?",
    ),
    (lambda: gg.Adam(0), ValueError, "learning_rate must be finite and > 0; given 0"),
    (lambda: gg.Adam(float("nan")), ValueError, "learning_rate must be finite and > 0; given nan"),
    (
        lambda: gg.Adam(lr=0.1),
        TypeError,
        "unknown argument of Adam 'lr'; known: learning_rate, beta1, beta2, epsilon, weight_decay, clip_norm, "
        "clip_value; did you mean 'learning_rate'?",
    ),
    (lambda: gg.Adam(gg.Cosine), TypeError, "learning_rate is the class Cosine itself; write Cosine(…)"),
    (lambda: gg.Adam(beta1=1), ValueError, "beta1 must be finite and >= 0 and < 1; given 1"),
    (
        lambda: gg.Adam(clip_norm=1, clip_value=1),
        ValueError,
        "give clip_norm or clip_value, not both; given clip_norm=1.0 and clip_value=1.0",
    ),
    (
        lambda: gg.SGD(0.1, nesterov=True),
        ValueError,
        "nesterov=True needs a momentum greater than 0, like 0.9; given 0",
    ),
    (
        lambda: fit(metrics=["auc"]),
        ValueError,
        "metric 'auc' needs one output, or one for each of two classes; the network has 3 outputs",
    ),
    (
        lambda: fit("mse", regressor, y=1e30 * VALUES),
        gg.errors.TrainingDivergedError,
        "layer 'dense_1': the loss of step 1 is not a finite number; the weights are those of the step before. Lower "
        'the learning rate, scale the inputs, or train with dtype="float64"',
    ),
    (
        lambda: optim.SGD(nn.Sequential(nn.Linear(4, 3)).parameters(), learning_rate=0.1),
        TypeError,
        "unknown argument of SGD 'learning_rate'; known: params, lr, momentum, dampening, weight_decay, nesterov; "
        "did you mean 'lr'?",
    ),
    (
        lambda: nn.CrossEntropyLoss(weight=[1, 2, 3]),
        TypeError,
        "unknown argument of CrossEntropyLoss 'weight'; known: reduction; Trainer.fit weighs classes by "
        "class_weight, and rows by sample_weight",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), [*MODELS, *TRAINING])
def test_what_is_said(call, error, text):
    assert_said(call, error, text)


@pytest.mark.parametrize(
    ("module", "name", "meant"),
    [(gg, "Squential", "Sequential"), (nn, "ReLu", "ReLU"), (optim, "adam", "Adam"), (layers, "dense", "Dense")],
)
def test_a_name_that_is_spelled_wrongly(module, name, meant):
    text = f"module {module.__name__!r} has no attribute {name!r}: did you mean {meant!r}?"
    assert_said(lambda: getattr(module, name), AttributeError, text)
