"""Sequential: building, names, summary, prediction, weights, files' view of it."""

import threading
from collections import OrderedDict

import numpy as np
import pytest

import ganglion as gg
from ganglion.errors import NotFittedError
from small_models import after_import


def small(**options):
    return gg.Sequential(gg.Dense(3, "tanh", input_shape=(4,)), gg.Dense(2), **options)


X = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)


@pytest.mark.parametrize(
    "model",
    [
        gg.Sequential(gg.Dense(3, "relu"), gg.ReLU(), gg.Dense(2)),
        gg.Sequential([gg.Dense(3, "relu"), gg.ReLU(), gg.Dense(2)]),
        gg.Sequential((gg.Dense(3, "relu"), gg.ReLU(), gg.Dense(2))),
        gg.Sequential(OrderedDict(dense=gg.Dense(3, "relu"), relu=gg.ReLU(), dense_1=gg.Dense(2))),
    ],
    ids=["arguments", "list", "tuple", "dictionary"],
)
def test_layers_can_be_given_in_many_ways(model):
    assert [layer.name for layer in model.layers] == ["dense", "relu", "dense_1"]
    assert model.architecture == gg.Sequential(gg.Dense(3, "relu"), gg.ReLU(), gg.Dense(2)).architecture


def test_names_are_unique_and_those_given_are_kept():
    model = gg.Sequential(gg.Dense(3, name="dense_1"), gg.Dense(3), gg.Dense(3), gg.Dense(3), gg.Activation("relu"))
    assert [layer.name for layer in model.layers] == ["dense_1", "dense", "dense_2", "dense_3", "activation"]


def test_a_layer_used_twice_has_weights_of_its_own_each_time():
    layer = gg.Dense(3)
    model = gg.Sequential(layer, layer)
    model.build((3,))
    assert list(model.state_dict()) == ["dense.kernel", "dense.bias", "dense_1.kernel", "dense_1.bias"]
    first, _, second, _ = model.parameters()
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: gg.Sequential().build((3,)),
            ValueError,
            r"a model needs at least one layer: add\(Dense\(10\)\) appends",
        ),
        (lambda: gg.Sequential([]).predict(X), ValueError, r"a model needs at least one layer: add\(Dense\(10\)\)"),
        (lambda: gg.Trainer(gg.Sequential(), "mse").fit(X, X), ValueError, "a model needs at least one layer"),
        (
            lambda: gg.Sequential(gg.Dense(3), 3),
            TypeError,
            r"layer 1 must be a layer, like Dense\(10\) or ReLU\(\); given 3",
        ),
        (lambda: gg.Sequential([gg.Dense(3), "relu"]), TypeError, "layer 1 must be a layer, .*given 'relu'"),
        (lambda: gg.Sequential(gg.Dense(3), gg.ReLU), TypeError, r"layer 1 is the class ReLU itself; write ReLU\(…\)"),
        (lambda: gg.Sequential({"a.b": gg.ReLU()}), ValueError, "name must not be empty and hold no dot; given 'a.b'"),
        (
            lambda: gg.Sequential(gg.Dense(3, name="a"), gg.Dense(3, name="a")),
            ValueError,
            "two layers have the name 'a'; names must be unique",
        ),
        (lambda: small(seed=-1), ValueError, "seed must be at least 0; given -1"),
        (
            lambda: small(seed=2**64),
            ValueError,
            "seed must be at most 18446744073709551615; given 18446744073709551616",
        ),
        (lambda: gg.Sequential([gg.Dense(3)], 7), TypeError, "only seed and dtype, by name; given 7: write seed=7$"),
        (lambda: gg.Sequential([gg.Dense(3)], gg.ReLU()), TypeError, r"only seed and dtype, by name; given ReLU\(\)$"),
        (lambda: small(seed=1.0), TypeError, "seed must be an integer; given 1.0 of type float"),
        (lambda: small(dtype="float16"), ValueError, "dtype must be 'float32' or 'float64'; given 'float16'"),
        (
            lambda: small(dtype="double precision"),
            ValueError,
            "dtype must be 'float32' or 'float64'; given 'double pre",
        ),
        (lambda: small(dtype=None), ValueError, "dtype must be 'float32' or 'float64'; given None"),
        (
            lambda: gg.Sequential(gg.Dense(3, input_shape=(4,)), gg.Dense(2, input_shape=(5,))),
            ValueError,
            r"layer 'dense_1' has input_shape \(5,\), but layer 'dense' gives \(3,\)",
        ),
        (
            lambda: gg.Sequential(gg.Dense(2**40, input_shape=(2**40,))),
            ValueError,
            r"dense.kernel of shape \(1099511627776, 1099511627776\) in float32 would have more bytes than can be",
        ),
    ],
)
def test_a_wrong_model_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("dtype", "name"), [("float64", "float64"), (np.float32, "float32"), (np.dtype("f8"), "float64")]
)
def test_dtype(dtype, name):
    model = small(dtype=dtype)
    assert model.dtype == name
    assert model.predict(X).dtype == name
    assert {parameter.dtype.name for parameter in model.parameters()} == {name}


def test_more_weights_than_memory():
    with pytest.raises(MemoryError, match=r"for 1,125,968,626,319,360 parameters in float32, 4\.5 PB"):
        gg.Sequential(gg.Dense(2**36, input_shape=(2**14,)))


def test_the_largest_seed_is_a_seed():
    assert small(seed=2**64 - 1).seed == 2**64 - 1


def test_weights_depend_on_the_seed_alone():
    for one, other in zip(small(seed=3).parameters(), small(seed=np.int64(3)).parameters(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(small(seed=3).parameters()[0], small(seed=4).parameters()[0])


def test_build():
    model = gg.Sequential(gg.Dense(3), gg.Dense(2))
    assert (model.input_shape, model.output_shape) == (None, None)
    model.build([4])
    weights = model.get_weights()
    model.build((4,))
    assert (model.input_shape, model.output_shape) == ((4,), (2,))
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    with pytest.raises(ValueError, match=r"the model is built for input_shape \(4,\); given \(5,\)"):
        model.build((5,))


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.predict(X),
        lambda model: model.predict_proba(X),
        lambda model: model.predict_classes(X),
        lambda model: model.summary(),
        lambda model: model.parameters(),
        lambda model: model.state_dict(),
        lambda model: model.get_weights(),
        lambda model: model.set_weights([]),
        lambda model: model.load_state_dict({}),
        lambda model: model.save("nowhere.safetensors"),
    ],
    ids=["predict", "proba", "classes", "summary", "parameters", "state_dict", "get", "set", "load_state_dict", "save"],
)
def test_use_before_the_sizes_are_known(use, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFittedError, match=r"input_shape=\(features,\), call build\(\(features,\)\), or fit it"):
        use(gg.Sequential(gg.Dense(2)))


def test_summary(capsys):
    gg.Sequential([gg.Dense(512, "relu", input_shape=(784,)), gg.ReLU(), gg.Dense(10, name="digits")]).summary()
    assert capsys.readouterr().out == (
        "Layer             Output shape    Parameters\n"
        "────────────────────────────────────────────\n"
        "dense (Dense)     (B, 512)           401,920\n"
        "relu (ReLU)       (B, 512)                 0\n"
        "digits (Dense)    (B, 10)              5,130\n"
        "────────────────────────────────────────────\n"
        "407,050 parameters in float32, 1.63 MB\n"
    )


def test_repr_shows_the_layers():
    text = (
        "Sequential(\n    Dense(3, activation='tanh', input_shape=(4,), name='dense'),\n    Dense(2, name='dense_1'),\n"
    )
    assert repr(small()) == text + "    seed=0, dtype='float32',\n)"
    assert after_import(repr(small())).architecture == small().architecture


def test_predict_is_the_network_s_output():
    model = small(dtype="float64")
    kernel, bias, kernel_1, bias_1 = model.get_weights()
    expected = np.tanh(X @ kernel + bias) @ kernel_1 + bias_1
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-13, atol=1e-14)
    assert model.predict(X[:0]).shape == (0, 2)
    assert model.predict(X[:0]).dtype == np.float64


@pytest.mark.parametrize("threads", [None, 1, 2, 3])
def test_a_row_does_not_depend_on_its_neighbours_or_the_team(threads):
    model = gg.Sequential(gg.Dense(33, "sigmoid", input_shape=(7,)), gg.Dense(5), seed=2)
    x = np.sin(np.arange(7 * 150, dtype=np.float32)).reshape(150, 7)
    together = model.predict(x)
    one_by_one = np.concatenate([model.predict(row[None, :], threads=threads) for row in x])
    np.testing.assert_array_equal(one_by_one, together)


def logits(values):
    """A model whose output is its input, and the input."""
    values = np.array(values, np.float32)
    return gg.Sequential(gg.Identity(input_shape=(values.shape[1],))), values


def test_probabilities_and_classes_of_logits():
    model, z = logits([[1.0, 2.0, 3.0], [1e4, 0.0, -1e4], [5.0, 5.0, 5.0]])
    probabilities = model.predict_proba(z)
    np.testing.assert_allclose(probabilities[0], np.exp([-2, -1, 0]) / np.exp([-2.0, -1, 0]).sum(), rtol=1e-6)
    np.testing.assert_array_equal(probabilities[1], [1, 0, 0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert model.predict_classes(z).tolist() == [2, 0, 0]
    assert model.predict_classes(z).dtype == np.int64
    assert model.predict_proba(z[:0]).shape == (0, 3)
    assert model.predict_classes(z[:0]).shape == (0,)


@pytest.mark.parametrize(
    "layers",
    [
        [gg.Dense(3, "softmax")],
        [gg.Dense(3), gg.Softmax()],
        [gg.Dense(3), gg.Activation("softmax"), gg.Identity()],
        [gg.Dense(3, "sigmoid")],
        [gg.Dense(1, "sigmoid")],
    ],
)
def test_probabilities_of_a_network_that_ends_in_them(layers):
    model = gg.Sequential(layers)
    model.build((4,))
    np.testing.assert_array_equal(model.predict_proba(X), model.predict(X))


def test_a_single_sigmoid_is_class_one_above_a_half():
    model = gg.Sequential(gg.Sigmoid(input_shape=(1,)), gg.Identity())
    z = np.array([[0.2], [0.0], [-0.7], [3.0]], np.float32)
    assert model.predict_classes(z).tolist() == [1, 0, 0, 1]
    assert (model.predict_proba(z)[:, 0] > 0.5).tolist() == [True, False, False, True]


@pytest.mark.parametrize("method", ["predict_proba", "predict_classes"])
@pytest.mark.parametrize("activation", ["identity", "tanh", "softmax"])
def test_a_single_output_of_another_kind_is_no_classifier(method, activation):
    model = gg.Sequential(gg.Dense(1, activation, input_shape=(4,)))
    expected = (
        f"^{method} needs a classifier: two or more outputs, or one with activation='sigmoid'; .* compare predict"
    )
    with pytest.raises(ValueError, match=expected):
        getattr(model, method)(X)


def test_parameters_are_live_and_read_only():
    model = small()
    views, state = model.parameters(), model.state_dict()
    assert [view.shape for view in views] == [(4, 3), (3,), (3, 2), (2,)]
    assert list(state) == ["dense.kernel", "dense.bias", "dense_1.kernel", "dense_1.bias"]
    with pytest.raises(ValueError, match="read-only"):
        views[0][0, 0] = 1
    model.set_weights([np.full(view.shape, 7) for view in views])
    for view, named in zip(views, state.values(), strict=True):
        assert (view == 7).all()
        assert (named == 7).all()


def test_views_outlive_the_model():
    view = small(seed=8).parameters()[0]
    copy = view.copy()
    np.testing.assert_array_equal(view, copy)
    np.testing.assert_array_equal(view, small(seed=8).get_weights()[0])


def test_get_weights_are_copies_that_go_back():
    model = small()
    weights, output = model.get_weights(), model.predict(X)
    model.set_weights([2 * weight for weight in weights])
    assert not np.array_equal(model.predict(X), output)
    model.set_weights(weights)
    np.testing.assert_array_equal(model.predict(X), output)
    weights[0][...] = 0
    np.testing.assert_array_equal(model.predict(X), output)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            lambda w: w.pop(),
            ValueError,
            r"weights must be 4 arrays: dense.kernel \(4, 3\), dense.bias \(3,\), .*; given 3",
        ),
        (lambda w: w.append(w[0]), ValueError, "weights must be 4 arrays: .*; given 5"),
        (lambda w: w.__setitem__(0, w[0].T), ValueError, r"dense.kernel must have shape \(4, 3\); given \(3, 4\)"),
        (lambda w: w.__setitem__(1, w[1][:, None]), ValueError, r"dense.bias must have shape \(3,\); given \(3, 1\)"),
        (
            lambda w: w.__setitem__(3, w[3] * np.nan),
            ValueError,
            r"dense_1.bias\[0\] is nan; take the weights from before they became so$",
        ),
        (
            lambda w: w.__setitem__(2, w[2] + np.inf),
            ValueError,
            r"dense_1.kernel\[0, 0\] is inf; take the weights",
        ),
        (
            lambda w: w.__setitem__(2, np.full((3, 2), 1e40)),
            ValueError,
            r"dense_1.kernel\[0, 0\] is 1e\+40; too large for",
        ),
        (lambda w: w.__setitem__(2, [["a"] * 2] * 3), TypeError, "dense_1.kernel must be an array of real numbers"),
    ],
)
def test_wrong_weights_change_nothing(change, error, message):
    model = small()
    before = model.get_weights()
    weights = [2 * weight for weight in before]
    change(weights)
    with pytest.raises(error, match=message):
        model.set_weights(weights)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_state_goes_from_one_model_to_another():
    source, target = small(seed=1), small(seed=2, dtype="float64")
    target.load_state_dict(source.state_dict())
    for one, other in zip(source.parameters(), target.parameters(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("dense.bias"), "the state lacks dense.bias$"),
        (lambda state: state.update({"top.kernel": 1}), "the state has top.kernel, which the model lacks$"),
        (
            lambda state: state.update({"top.kernel": state.pop("dense_1.kernel")}),
            "the state lacks dense_1.kernel and has top.kernel, which the model lacks",
        ),
    ],
)
def test_a_foreign_state_is_refused(change, message):
    model = small()
    state = dict(small(seed=1).state_dict())
    change(state)
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.load_state_dict(state)
    np.testing.assert_array_equal(before[0], model.parameters()[0])


def test_save_and_load(tmp_path):
    model = small(seed=4)
    model.save(tmp_path / "model.safetensors")
    again = gg.load(tmp_path / "model.safetensors")
    assert again.architecture == model.architecture
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_threads_predict_at_the_same_time():
    model = gg.Sequential(gg.Dense(64, "relu", input_shape=(4,)), gg.Dense(2))
    x = np.random.default_rng(0).normal(size=(500, 4))
    expected, outputs = model.predict(x), []

    def work():
        outputs.extend(model.predict(x) for _ in range(20))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(outputs) == 80
    for output in outputs:
        np.testing.assert_array_equal(output, expected)
