"""Losses, optimizers, schedules, initializers and metrics as values; families, and configs that nobody vouches for."""

import dataclasses
import json

import numpy as np
import pytest

import ganglion as gg
from ganglion import _native
from ganglion.descriptions import Family, from_config
from ganglion.initializers import INITIALIZERS
from ganglion.layers import ACTIVATIONS, LAYERS
from ganglion.losses import LOSSES
from ganglion.metrics import METRICS
from ganglion.optimizers import OPTIMIZERS
from ganglion.schedules import SCHEDULES, Constant
from small_models import after_import

CORE = _native._ganglion_core


def test_losses_and_schedules_are_the_core_s():
    assert sorted(row.row for row in LOSSES.classes.values()) == sorted(CORE.losses())
    assert sorted(row.row for row in SCHEDULES.classes.values()) == sorted(CORE.schedules())


def test_initializers_and_metrics_are_the_core_s():
    assert sorted(row.row for row in INITIALIZERS.classes.values()) == sorted(CORE.initializers())
    assert sorted(row.row for row in METRICS.classes.values()) == sorted(CORE.metrics())


def test_optimizers_are_the_core_s():
    made = {
        name: {"sgd": [gg.SGD(), gg.SGD(momentum=0.9), gg.SGD(momentum=0.9, nesterov=True)]}.get(name, [row()])
        for name, row in OPTIMIZERS.names.items()
    }
    made["rmsprop"].append(gg.RMSprop(momentum=0.9))
    rows = [optimizer.native().name for optimizers in made.values() for optimizer in optimizers]
    assert sorted(rows) == sorted(CORE.optimizers())


@pytest.mark.parametrize(
    "family", [ACTIVATIONS, INITIALIZERS, LOSSES, METRICS, OPTIMIZERS], ids=lambda family: family.kind
)
def test_a_family_knows_its_rows_by_name(family):
    for name, row in family.names.items():
        assert family.find("thing", name) == row()
        assert family.canonical("thing", row()) == row.row
    with pytest.raises(ValueError, match=f"^unknown thing 'nothing'; known: {', '.join(family.names)}"):
        family.find("thing", "nothing")
    with pytest.raises(
        TypeError, match=f"^thing must be the name of an? {family.kind} or an object of its class; given 3"
    ):
        family.find("thing", 3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gg.SGD(0), ValueError, r"learning_rate must be finite and > 0; given 0"),
        (lambda: gg.SGD(-1e-3), ValueError, r"learning_rate must be finite and > 0; given -0.001"),
        (lambda: gg.SGD(float("nan")), ValueError, r"learning_rate must be finite and > 0; given nan"),
        (lambda: gg.SGD(float("inf")), ValueError, r"learning_rate must be finite and > 0; given inf"),
        (lambda: gg.SGD("0.1"), TypeError, r"learning_rate must be a number; given '0.1' of type str"),
        (lambda: gg.SGD(True), TypeError, r"learning_rate must be a number; given True of type bool"),
        (lambda: gg.SGD(momentum=1), ValueError, r"momentum must be finite and >= 0 and < 1; given 1"),
        (lambda: gg.SGD(momentum=-0.1), ValueError, r"momentum must be finite and >= 0 and < 1; given -0.1"),
        (lambda: gg.SGD(nesterov=True), ValueError, r"nesterov=True needs a momentum greater than 0"),
        (lambda: gg.SGD(momentum=0.9, nesterov=1), TypeError, r"nesterov must be True or False; given 1"),
        (lambda: gg.SGD(weight_decay=-1), ValueError, r"weight_decay must be finite and >= 0; given -1"),
        (lambda: gg.Adam(beta1=1.0), ValueError, r"beta1 must be finite and >= 0 and < 1; given 1.0"),
        (lambda: gg.Adam(beta2=-0.5), ValueError, r"beta2 must be finite and >= 0 and < 1; given -0.5"),
        (lambda: gg.Adam(epsilon=0), ValueError, r"epsilon must be finite and > 0; given 0"),
        (lambda: gg.AdamW(weight_decay=-1), ValueError, r"weight_decay must be finite and >= 0; given -1"),
        (lambda: gg.RMSprop(rho=1), ValueError, r"rho must be finite and >= 0 and < 1; given 1"),
        (lambda: gg.RMSprop(momentum=1), ValueError, r"momentum must be finite and >= 0 and < 1; given 1"),
        (lambda: gg.RMSprop(epsilon=0), ValueError, r"epsilon must be finite and > 0; given 0"),
        (lambda: gg.AdaGrad(epsilon=0), ValueError, r"epsilon must be finite and > 0; given 0"),
        (
            lambda: gg.AdaGrad(initial_accumulator=-1),
            ValueError,
            r"initial_accumulator must be finite and >= 0; given -1",
        ),
        (lambda: gg.initializers.Constant("one"), TypeError, r"value must be a number; given 'one' of type str"),
        (lambda: gg.initializers.Normal(-1), ValueError, r"deviation must be finite and >= 0; given -1"),
        (lambda: gg.initializers.Normal(1, float("inf")), ValueError, r"mean must be finite; given inf"),
        (lambda: gg.initializers.Uniform(1, 1), ValueError, r"low must be below high; given 1 and 1"),
        (lambda: gg.initializers.Orthogonal(float("nan")), ValueError, r"gain must be finite; given nan"),
        (lambda: gg.metrics.TopKAccuracy(0), ValueError, r"k must be at least 1; given 0"),
        (lambda: gg.metrics.TopKAccuracy(2.0), TypeError, r"k must be an integer; given 2.0 of type float"),
        (lambda: gg.metrics.F1(float("nan")), ValueError, r"threshold must be finite; given nan"),
        (lambda: gg.Adam(clip_norm=0), ValueError, r"clip_norm must be finite and > 0; given 0"),
        (lambda: gg.SGD(clip_norm="1"), TypeError, r"clip_norm must be a number; given '1' of type str"),
        (lambda: gg.SGD(clip_value=-1.0), ValueError, r"clip_value must be finite and > 0; given -1.0"),
        (
            lambda: gg.SGD(clip_norm=1, clip_value=2),
            ValueError,
            r"give clip_norm or clip_value, not both; given clip_norm=1.0 and clip_value=2.0",
        ),
        (lambda: gg.Adam(None), TypeError, r"learning_rate must be a number; given None of type NoneType"),
        (lambda: gg.Huber(0), ValueError, r"delta must be finite and > 0; given 0"),
        (lambda: gg.CrossEntropy(1), TypeError, r"from_logits must be True or False; given 1 of type int"),
        (lambda: gg.BinaryCrossEntropy("no"), TypeError, r"from_logits must be True or False; given 'no' of type str"),
        (lambda: Constant(0), ValueError, r"learning_rate must be finite and > 0; given 0"),
        (lambda: gg.LinearDecay(0, 0, 10), ValueError, r"initial must be finite and > 0; given 0"),
        (lambda: gg.LinearDecay(1, -1, 10), ValueError, r"final must be finite and >= 0; given -1"),
        (lambda: gg.LinearDecay(1, 0, 0), ValueError, r"steps must be at least 1; given 0"),
        (lambda: gg.LinearDecay(1, 0, 2**70), ValueError, r"steps must be at most 2147483647; given 1180591620717"),
        (lambda: gg.SGD(10**400), ValueError, r"learning_rate must be finite and > 0; given 1000"),
        (lambda: gg.LinearDecay(1, 0, 10.0), TypeError, r"steps must be an integer; given 10.0 of type float"),
    ],
)
def test_a_wrong_argument_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (gg.SGD(), "SGD()"),
        (gg.SGD(0.1, 0.9, True, 1e-4), "SGD(learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.0001)"),
        (gg.Adam(np.float64(0.5)), "Adam(learning_rate=0.5)"),
        (gg.Adam(gg.LinearDecay(1, 0, 5)), "Adam(learning_rate=LinearDecay(1.0, 0.0, 5))"),
        (gg.AdamW(weight_decay=0.01), "AdamW(weight_decay=0.01)"),
        (gg.RMSprop(rho=0.99, momentum=0.9), "RMSprop(rho=0.99, momentum=0.9)"),
        (gg.AdaGrad(initial_accumulator=0.1), "AdaGrad(initial_accumulator=0.1)"),
        (gg.CrossEntropy(), "CrossEntropy()"),
        (gg.CrossEntropy(from_logits=False), "CrossEntropy(from_logits=False)"),
        (gg.Huber(delta=2), "Huber(delta=2.0)"),
        (gg.initializers.Normal(0.1, 1), "initializers.Normal(deviation=0.1, mean=1.0)"),
        (gg.initializers.Uniform(0, 1), "initializers.Uniform(low=0.0, high=1.0)"),
        (gg.initializers.Orthogonal(2**0.5), "initializers.Orthogonal(gain=1.4142135623730951)"),
        (gg.metrics.Precision(0.25), "metrics.Precision(threshold=0.25)"),
        (gg.metrics.TopKAccuracy(3), "metrics.TopKAccuracy(k=3)"),
    ],
)
def test_repr_can_be_run(value, text):
    assert repr(value) == text.rpartition("s.")[2]
    assert after_import(text) == value


def test_defaults_are_those_of_the_papers():
    no_clipping = (None, None)
    assert dataclasses.astuple(gg.SGD()) == (*no_clipping, 1e-2, 0.0, False, 0.0)
    assert dataclasses.astuple(gg.Adam()) == (*no_clipping, 1e-3, 0.9, 0.999, 1e-8, 0.0)
    assert dataclasses.astuple(gg.AdamW()) == (*no_clipping, 1e-3, 0.9, 0.999, 1e-8, 0.0)
    assert dataclasses.astuple(gg.RMSprop()) == (*no_clipping, 1e-3, 0.9, 0.0, 1e-8, 0.0)
    assert dataclasses.astuple(gg.AdaGrad()) == (*no_clipping, 1e-2, 0.0, 1e-10, 0.0)
    assert gg.Adam().schedule == Constant(1e-3)


def test_descriptions_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        gg.Adam().learning_rate = 1.0


@pytest.mark.parametrize(
    ("family", "name", "remedy"),
    [
        (METRICS, "acc", "; use 'accuracy'$"),
        (LOSSES, "softmax_cross_entropy", r"; use 'cross_entropy', which takes .* logits: end .* Dense\(classes\)$"),
        (LOSSES, "NLLLoss", "; use 'cross_entropy', which takes labels .*, without a log-softmax$"),
        (LOSSES, "CrossEntropyLoss", "; use 'cross_entropy', which takes labels or one-hot rows, and logits"),
        (LOSSES, "bce", r"; use 'binary_cross_entropy', which takes logits, or 'binary_crossentropy', which takes"),
        (LOSSES, "BCEWithLogitsLoss", "; use 'binary_cross_entropy', which takes logits, or"),
        (LOSSES, "L1Loss", "; use 'mae'$"),
        (LOSSES, "SmoothL1Loss", "; use 'huber'$"),
        (LOSSES, "MSELoss", "; use 'mse'$"),
    ],
)
def test_names_of_other_libraries_lead_to_ours(family, name, remedy):
    with pytest.raises(ValueError, match=f"^unknown thing '{name}'; known: .*{remedy}"):
        family.find("thing", name)


def test_a_new_row_is_found_by_all_its_names():
    family = Family("loss", LOSSES.base)

    @family.add("sum", "total")
    class Sum(gg.CrossEntropy):
        """Another loss."""

    assert family.find("loss", "total") == Sum()
    assert family.canonical("loss", Sum()) == "sum"
    assert family.classes == {"Sum": Sum}


CONFIG = {
    "class": "Sequential",
    "dtype": "float32",
    "seed": 5,
    "input_shape": [4],
    "layers": [
        {
            "class": "Dense",
            "units": 3,
            "activation": {"class": "LeakyReLU", "negative_slope": 0.2, "input_shape": None, "name": None},
            "use_bias": True,
            "kernel_initializer": "he_normal",
            "bias_initializer": "zeros",
            "kernel_regularizer": None,
            "input_shape": [4],
            "name": "dense",
        },
        {"class": "Softmax", "input_shape": None, "name": "softmax"},
    ],
}


def changed(path, value):
    """CONFIG with one entry replaced; value None removes it."""
    config = json.loads(json.dumps(CONFIG))
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return config


def test_a_config_goes_around():
    layers = [
        gg.Dense(3, gg.LeakyReLU(0.2), kernel_initializer="he_normal", input_shape=(4,)),
        gg.Softmax(),
    ]
    model = gg.Sequential(layers, seed=5)
    assert model.to_config() == CONFIG
    assert json.loads(json.dumps(CONFIG)) == CONFIG
    again = gg.Sequential.from_config(CONFIG)
    assert again.to_config() == CONFIG
    assert again.architecture == model.architecture
    for one, other in zip(again.parameters(), model.parameters(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_config_of_an_open_model_stays_open():
    model = gg.Sequential(gg.Dense(3))
    again = gg.Sequential.from_config(model.to_config())
    assert again.input_shape is None
    again.build((2,))
    assert again.to_config()["input_shape"] == [2]


def test_a_field_that_an_older_file_lacks_takes_its_default():
    config = changed(("layers", 0, "bias_initializer"), None)
    assert gg.Sequential.from_config(config).layers[0].bias_initializer == "zeros"


@pytest.mark.parametrize("initializer", [row() for row in INITIALIZERS.classes.values()], ids=repr)
def test_every_initializer_goes_into_a_file_and_back(initializer):
    layer = gg.Dense(
        3, kernel_initializer=initializer, bias_initializer=gg.initializers.Constant(0.5), input_shape=(4,)
    )
    model = gg.Sequential(layer, seed=5)
    again = gg.Sequential.from_config(json.loads(json.dumps(model.to_config())))
    assert again.layers == model.layers
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    np.testing.assert_array_equal(again.get_weights()[1], np.float32(0.5))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ([], r"the architecture must be an object of class 'Sequential'; given \[\]"),
        (changed(("class",), "Functional"), r"the architecture must be an object of class 'Sequential'"),
        (changed(("extra",), 1), r"the architecture: unknown key 'extra'; known: class, dtype, seed"),
        (changed(("dtype",), None), r"the architecture lacks 'dtype'"),
        (changed(("dtype",), "float16"), r"dtype must be 'float32' or 'float64'; given 'float16'"),
        (changed(("dtype",), ["float32"]), r"dtype must be 'float32' or 'float64'"),
        (changed(("seed",), -1), r"the architecture: seed must be at least 0; given -1"),
        (changed(("seed",), 2**64), r"the architecture: seed must be at most 18446744073709551615; given"),
        (changed(("seed",), 1.5), r"the architecture: seed must be an integer; given 1.5"),
        (changed(("input_shape",), 4), r"the architecture: input_shape must be a tuple"),
        (changed(("input_shape",), [5]), r"layer 'dense' has input_shape \(4,\), but the data gives \(5,\)"),
        (changed(("layers",), {}), r"the architecture's layers must be a list; given \{\}"),
        (changed(("layers",), []), r"a model needs at least one layer"),
        (changed(("layers", 0), "Dense"), r"layer 0 must be an object with a class and its arguments; given 'Dense'"),
        (changed(("layers", 0, "class"), "Conv2D"), r"layer 0: unknown class 'Conv2D'; known: Dense, Activation"),
        (changed(("layers", 0, "class"), ["Dense"]), r"layer 0: unknown class \['Dense'\]"),
        (changed(("layers", 0, "unit"), 3), r"layer 0: unknown argument of Dense 'unit'.*did you mean 'units'\?"),
        (changed(("layers", 0, "units"), None), r"layer 0: Dense lacks 'units'"),
        (changed(("layers", 0, "units"), True), r"layer 0: units must be an integer; given True"),
        (changed(("layers", 0, "units"), 0), r"layer 0: units must be at least 1; given 0"),
        (
            changed(("layers", 0, "units"), 2**61),
            r"the architecture: dense.kernel of shape .* more bytes than can be addr",
        ),
        (changed(("layers", 0, "activation"), "swoosh"), r"layer 0: unknown activation 'swoosh'"),
        (changed(("layers", 0, "activation"), 7.5), r"layer 0: activation must be the name of an activation"),
        (changed(("layers", 0, "activation", "class"), "Dense"), r"layer 0, activation: unknown class 'Dense'"),
        (
            changed(("layers", 0, "activation", "negative_slope"), {}),
            r"layer 0, activation: negative_slope must be a number",
        ),
        (changed(("layers", 1, "name"), "dense"), r"two layers have the name 'dense'"),
    ],
)
def test_a_foreign_config_is_a_value_error(config, message):
    with pytest.raises(ValueError, match=message):
        gg.Sequential.from_config(config)


def test_from_config_takes_only_the_classes_it_is_given():
    with pytest.raises(ValueError, match="here: unknown class 'Dense'; known: ReLU"):
        from_config({"class": "Dense", "units": 3}, {"ReLU": LAYERS["ReLU"]}, "here")
