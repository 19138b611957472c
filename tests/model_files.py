"""A small model, and what it means to have it back from a file: for the tests of model files."""

import ganglion as gg


def small_model(dtype="float32", seed=1):
    hidden = gg.Dense(3, activation="tanh", input_shape=(2,), name="hidden")
    return gg.Sequential([hidden, gg.LeakyReLU(0.2), gg.Dense(2, use_bias=False)], seed=seed, dtype=dtype)


def assert_same_model(loaded, model):
    """Architecture and weights are equal, bit for bit."""
    assert loaded.to_config() == model.to_config()
    expected = model.state_dict()
    actual = loaded.state_dict()
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        assert actual[name].dtype == array.dtype
        assert actual[name].tobytes() == array.tobytes()
