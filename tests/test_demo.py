"""The demo: how well it learns, that NumPy does the same work, and what it leaves."""

import dataclasses
import json
import sys

import numpy as np
import pytest

import ganglion as gg
from ganglion import demo, demo_numpy
from ganglion.demo_numpy import Training, Work
from ganglion.reference.random import shuffle

SMALL = dataclasses.replace(demo.DIGITS, hidden=(20, 10), race_rows=200, race_epochs=3)


@pytest.fixture(scope="module")
def digits():
    return demo.digits()


def test_a_stratified_fifth_is_held_out(digits):
    assert (digits.x.shape, digits.x_test.shape) == ((1437, 64), (360, 64))
    assert (digits.x.min(), digits.x.max(), digits.x.dtype) == (0.0, 1.0, np.float32)
    whole = np.bincount(digits.y) + np.bincount(digits.y_test)
    assert np.abs(np.bincount(digits.y_test) - whole / 5).max() <= 1
    seen = {row.tobytes() for row in digits.x}
    assert not [row for row in digits.x_test if row.tobytes() in seen]


def test_the_demo_learns_the_digits_and_says_so(digits, tmp_path, capsys):
    assert demo.run(demo.DIGITS, digits, tmp_path / "new" / "folder")
    text = capsys.readouterr().out
    accuracies = []
    for seed in range(3):
        model = demo.DIGITS.model(seed)
        trainer = demo.DIGITS.trainer(model, len(digits.x), demo.DIGITS.epochs)
        trainer.fit(digits.x, digits.y, epochs=demo.DIGITS.epochs, batch_size=demo.DIGITS.batch_size, verbose=0)
        test = np.mean(model.predict_classes(digits.x_test) == digits.y_test)
        accuracies.append(test)
        assert f"seed {seed}:" in text
        assert f"test accuracy {test:7.2%}" in text
        if seed == 0:
            left = gg.load(tmp_path / "new" / "folder" / "digits.safetensors")
            assert left.predict(digits.x_test).tobytes() == model.predict(digits.x_test).tobytes()
    assert np.mean(accuracies) >= 0.97
    assert f"test accuracy {np.mean(accuracies):7.2%}\n" in text
    assert "epoch 12/12" in text
    assert "times as fast" in text
    assert str(tmp_path / "new" / "folder" / "digits.safetensors") in text
    assert str(tmp_path / "new" / "folder" / "digits.png") in text
    assert (tmp_path / "new" / "folder" / "digits.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_recipe_for_mnist(mnist_folder):
    data, recipe = demo.mnist(mnist_folder), demo.MNIST
    for seed in range(3):
        trainer = recipe.trainer(recipe.model(seed), len(data.x), recipe.epochs)
        trainer.fit(data.x, data.y, epochs=recipe.epochs, batch_size=recipe.batch_size, verbose=0)
        assert trainer.evaluate(data.x_test, data.y_test)["accuracy"] >= 0.982


# The same work in NumPy


def work(recipe, data, seed=0):
    model = recipe.model(seed)
    model.build((data.x.shape[1],))
    x, y = data.x[: recipe.race_rows], data.y[: recipe.race_rows]
    orders = np.stack([shuffle(len(x), seed, epoch) for epoch in range(recipe.race_epochs)])
    return Work(x, y, orders, model.get_weights(), recipe.batch_size, recipe.learning_rate)


def our_losses(recipe, data, seed=0):
    trainer = recipe.trainer(recipe.model(seed), recipe.race_rows, recipe.race_epochs)
    x, y = data.x[: recipe.race_rows], data.y[: recipe.race_rows]
    return trainer.fit(x, y, epochs=recipe.race_epochs, batch_size=recipe.batch_size, verbose=0).history["loss"]


def difference(theirs, ours):
    return max(abs(a - b) for a, b in zip(theirs, ours, strict=True)) / ours[0]


@pytest.mark.parametrize("rows", [200, 193])  # 193 leaves a last batch of one
def test_numpy_does_the_same_work(digits, rows):
    recipe = dataclasses.replace(SMALL, race_rows=rows)
    assert difference(demo_numpy.train(work(recipe, digits)).losses, our_losses(recipe, digits)) < 1e-5


def other_orders(work):
    return dataclasses.replace(work, orders=work.orders[::-1])


def other_weights(work):
    return dataclasses.replace(work, weights=[weight[::-1].copy() for weight in work.weights])


def other_rate(work):
    return dataclasses.replace(work, learning_rate=1.05 * work.learning_rate)


def other_batches(work):
    return dataclasses.replace(work, batch_size=work.batch_size + 1)


@pytest.mark.parametrize("change", [other_orders, other_weights, other_rate, other_batches])
def test_other_work_is_noticed(digits, change):
    losses = demo_numpy.train(change(work(SMALL, digits))).losses
    assert difference(losses, our_losses(SMALL, digits)) > demo.TOLERANCE


def test_work_comes_back_from_its_file(digits, tmp_path):
    written = work(SMALL, digits)
    written.write(tmp_path / "work.npz")
    read = Work.read(tmp_path / "work.npz")
    assert (read.batch_size, read.learning_rate) == (written.batch_size, written.learning_rate)
    for one, other in zip(
        [read.x, read.y, read.orders, *read.weights],
        [written.x, written.y, written.orders, *written.weights],
        strict=True,
    ):
        np.testing.assert_array_equal(one, other, strict=True)


def test_a_race_reports_what_ran(digits):
    result = demo.race(SMALL, digits)
    assert (result.rows, result.epochs) == (200, 3)
    assert result.difference < 1e-5
    assert result.numpy_threads in ("1 thread", "all threads")
    assert min(result.seconds, result.numpy_seconds) > 0
    assert result.threads >= 1


def test_a_race_of_different_work_prints_no_ratio(digits, monkeypatch):
    monkeypatch.setattr(demo, "shuffle", lambda rows, seed, epoch: shuffle(rows, seed + 1, epoch))
    result = demo.race(SMALL, digits)
    assert not result.same_answers
    assert "not the same work, no comparison of speed" in str(result)
    assert "times as fast" not in str(result)


def test_a_race_with_nan_is_no_agreement():
    assert not demo.Race(1, 1, 1.0, 1, 1.0, "1 thread", float("nan")).same_answers


def test_a_race_in_words():
    race = demo.Race(1437, 12, 0.05, 1, 0.5, "all threads", 1e-5)
    assert str(race).splitlines() == [
        "the same training, 1,437 images 12 times; the losses agree to 1e-05:",
        "  ganglion    0.05 s    345k samples/s   1 thread",
        "  NumPy       0.50 s   34.5k samples/s   all threads",
        "  ganglion is 10.0 times as fast",
    ]


def test_a_numpy_process_that_dies_is_told(digits, tmp_path, capfd):
    message = "the NumPy process ended with status 1; what it said stands above"
    with (
        demo._numpy_process(tmp_path / "missing.npz", "1 thread") as process,
        pytest.raises(RuntimeError, match=message),
    ):
        demo._training_of(process)
    assert "missing.npz" in capfd.readouterr().err


def test_the_numpy_process_answers_each_line(digits, tmp_path):
    written = work(SMALL, digits)
    written.write(tmp_path / "work.npz")
    with demo._numpy_process(tmp_path / "work.npz", "1 thread") as process:
        answers = [demo._training_of(process) for _ in range(2)]
        process.stdin.close()
        assert process.wait() == 0
    assert answers[0].losses == answers[1].losses
    assert answers[0].losses == pytest.approx(demo_numpy.train(written).losses, rel=1e-6)
    assert json.dumps(dataclasses.asdict(answers[0]))
    assert isinstance(answers[0], Training)


# What may be missing


def test_without_scikit_learn_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(
        ImportError, match="digits come with scikit-learn; install it with: python -m pip install scikit-learn"
    ):
        demo.digits()


def test_without_matplotlib_there_is_no_picture(digits, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert demo.run(SMALL, digits, tmp_path, epochs=1)
    assert "learning curves    none, drawing needs matplotlib; install it with" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["digits.safetensors"]
