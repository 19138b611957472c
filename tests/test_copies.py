"""Copies of models and what trains them, by method, by module and through pickle."""

import copy
import pickle
import re

import numpy as np
import pytest

import ganglion as gg
from ganglion import nn, optim

X = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)

COPIES = {
    "copy": gg.Sequential.copy,
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_copies_are_independent(make):
    model = gg.Sequential(gg.Dense(3, "tanh", input_shape=(4,)), gg.Dense(2), seed=3, dtype="float64")
    model.set_weights([weights + 1 for weights in model.get_weights()])
    before = model.predict(X)
    again = make(model)
    assert type(again) is gg.Sequential
    assert again.architecture == model.architecture
    np.testing.assert_array_equal(again.predict(X), before)
    again.set_weights([2 * weights for weights in model.get_weights()])
    np.testing.assert_array_equal(model.predict(X), before)
    assert not np.array_equal(again.predict(X), before)


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_copies_of_an_open_model_are_open(make):
    again = make(gg.Sequential(gg.Dense(2), seed=5))
    assert (again.input_shape, again.seed) == (None, 5)


@pytest.mark.parametrize("make", list(COPIES.values())[1:], ids=list(COPIES)[1:])
def test_copies_of_a_history_have_all_but_the_report(make):
    history = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse").fit(X, X[:, 0], epochs=3, validation_split=0.4, verbose=0)
    again = make(history)
    assert (again.history, again.epoch, repr(again)) == (history.history, history.epoch, repr(history))
    assert again.report is None
    assert history.report is not None


@pytest.mark.parametrize("make", list(COPIES.values())[1:], ids=list(COPIES)[1:])
@pytest.mark.parametrize("use", ["fit", "evaluate"])
def test_a_trainer_is_copied_until_it_has_trained_or_evaluated(make, use):
    trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse", gg.SGD(0.25), metrics=["mae"])
    again = make(trainer)
    assert repr(again) == repr(trainer)
    again.fit(X, X[:, 0], verbose=0)
    getattr(trainer, use)(X, X[:, 0])
    text = (
        "a Trainer that has trained or evaluated is not copied or pickled, as the core holds its moments: copy or save "
        "its model, trainer.model.save(path), and make a new Trainer"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        make(trainer)


@pytest.mark.parametrize("make", list(COPIES.values())[1:], ids=list(COPIES)[1:])
def test_an_optimizer_is_not_copied_and_its_options_are(make):
    optimizer = optim.SGD(nn.Sequential(nn.Linear(4, 1)).parameters(), lr=0.25)
    text = (
        "SGD is not copied or pickled, as it updates the parameters of one model: make a new one for a copy of the "
        "model, optim.SGD(copy.parameters(), …)"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        make(optimizer)
    group = make(optimizer.param_groups[0])
    assert type(group) is dict
    assert group.keys() == optimizer.param_groups[0].keys()
    group["lr"] = 1
    assert optimizer.param_groups[0]["lr"] == 0.25
