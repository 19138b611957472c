"""Events of a fit: who is told what and when, what callbacks may do, and what their absence saves."""

import math
import threading

import pytest

import ganglion as gg
from ganglion import _native
from small_models import LABELS, X, assert_same, classifier, weights_after

FIT = {"epochs": 4, "batch_size": 20, "verbose": 0}  # three steps an epoch


def trainer_of(optimizer="adam", **options):
    return gg.Trainer(classifier(), "cross_entropy", optimizer, metrics=["accuracy"], **options)


@pytest.fixture
def runs(monkeypatch):
    """The steps that were asked for in each call of the core."""
    made = []
    run = _native.Training.run

    def counted(self, *arguments, steps, **options):
        made.append(steps)
        return run(self, *arguments, steps=steps, **options)

    monkeypatch.setattr(_native.Training, "run", counted)
    return made


class Recorder(gg.Callback):
    """Notes what it is told."""

    def __init__(self, name="", seen=None):
        self.name = name
        self.seen = [] if seen is None else seen

    def on_train_begin(self, logs=None):
        self.seen.append((self.name, "train begin", dict(logs)))

    def on_train_end(self, logs=None):
        self.seen.append((self.name, "train end", dict(logs)))


class EpochRecorder(Recorder):
    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append((self.name, f"epoch {epoch} begin", dict(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append((self.name, f"epoch {epoch} end", dict(logs)))


class BatchRecorder(EpochRecorder):
    def on_batch_begin(self, step, logs=None):
        self.seen.append((self.name, f"batch {step} begin", dict(logs)))

    def on_batch_end(self, step, logs=None):
        self.seen.append((self.name, f"batch {step} end", dict(logs)))


class KerasBatches(gg.Callback):
    """As users of Keras write it."""

    def on_train_batch_end(self, batch, logs=None):
        pass


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], [12]),
        ([Recorder()], [12]),
        ([gg.LambdaCallback(on_train_end=lambda logs: None)], [12]),
        ([EpochRecorder()], [3] * 4),
        ([lambda epoch, logs: None], [3] * 4),
        ([gg.LambdaCallback(on_epoch_begin=lambda epoch, logs: None)], [3] * 4),
        ([gg.LambdaCallback(on_epoch_end=None)], [12]),
        ([Recorder(), BatchRecorder()], [1] * 12),
        ([KerasBatches()], [1] * 12),
    ],
)
def test_a_run_of_the_core_goes_as_far_as_nobody_listens(runs, given, expected):
    trainer = trainer_of()
    history = trainer.fit(X, LABELS, callbacks=given, **FIT)
    assert runs == expected
    assert_same(weights_after(classifier(), FIT), trainer.model.get_weights())
    silent = trainer_of().fit(X, LABELS, **FIT)
    assert history.history == silent.history


def test_the_end_of_a_fit_knows_its_last_epoch(runs):
    ends = []
    callback = gg.LambdaCallback(on_train_end=lambda logs: ends.append(dict(logs)))
    history = trainer_of().fit(X, LABELS, callbacks=[callback], **FIT)
    assert runs == [12]
    assert ends == [{name: values[-1] for name, values in history.history.items()}]


def test_events_come_in_order_with_the_values_of_the_history():
    seen = []
    trainer = trainer_of()
    given = [BatchRecorder("one", seen), EpochRecorder("two", seen), Recorder("three", seen)]
    history = trainer.fit(X, LABELS, epochs=2, batch_size=20, validation_data=(X, LABELS), callbacks=given, verbose=0)
    epochs = [{name: values[i] for name, values in history.history.items()} for i in range(2)]
    assert list(epochs[0]) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    events = [(name, event) for name, event, _ in seen]
    batches = [("one", f"batch {i} {which}") for i in range(3) for which in ("begin", "end")]
    expected = [(name, "train begin") for name in ("one", "two", "three")]
    for epoch in range(2):
        expected += [("one", f"epoch {epoch} begin"), ("two", f"epoch {epoch} begin"), *batches]
        expected += [("one", f"epoch {epoch} end"), ("two", f"epoch {epoch} end")]
    expected += [(name, "train end") for name in ("one", "two", "three")]
    assert events == expected
    told = {(name, event): logs for name, event, logs in seen}  # the latest
    assert told["two", "epoch 0 end"] == epochs[0]
    assert told["one", "epoch 1 end"] == told["three", "train end"] == epochs[1]
    assert told["one", "batch 2 end"] == {name: epochs[1][name] for name in ("loss", "accuracy")}
    assert told["one", "batch 0 begin"] == told["one", "epoch 0 begin"] == told["one", "train begin"] == {}


def test_what_a_callback_knows():
    class Knowing(gg.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.known = (self.trainer, self.model, self.params, epoch, sorted(logs))

    knowing, trainer = Knowing(), trainer_of()
    trainer.fit(X, LABELS, callbacks=[knowing], **FIT)
    assert knowing.known == (trainer, trainer.model, {"epochs": 4, "steps": 3}, 3, ["accuracy", "loss"])


@pytest.mark.parametrize("event", ["on_epoch_end", "on_train_batch_end"])
def test_a_callback_may_evaluate_and_write_weights_and_nobody_else_may(event):
    x, seen = X[:10], []

    def act(number, logs):
        del logs
        trainer.evaluate(x, LABELS[:10])
        trainer.model.set_weights(trainer.model.get_weights())
        for forbidden in (trainer.fit, trainer.train_on_batch):
            with pytest.raises(RuntimeError, match=r"^cannot (fit|train_on_batch): this model is being trained"):
                forbidden(x, LABELS[:10])

        def elsewhere():
            with pytest.raises(RuntimeError, match=r"^cannot load weights: this model is being trained"):
                trainer.model.set_weights(trainer.model.get_weights())
            seen.append(number)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    trainer = trainer_of()
    trainer.fit(X, LABELS, callbacks=[gg.LambdaCallback(**{event: act})], **FIT)
    assert len(seen) == (4 if event == "on_epoch_end" else 12)
    assert_same(weights_after(classifier(), FIT), trainer.model.get_weights())


def test_new_weights_of_a_callback_are_trained_on():
    def forget(epoch, logs):
        del logs
        if epoch == 1:
            trainer.model.set_weights(classifier().get_weights())

    trainer = trainer_of(gg.SGD(0.1))
    trainer.fit(X, LABELS, epochs=3, shuffle=False, callbacks=[forget], verbose=0)
    assert_same(weights_after(classifier(), {"shuffle": False}, optimizer=gg.SGD(0.1)), trainer.model.get_weights())


def failing(event, number):
    def fail(at, logs):
        del logs
        if at == number:
            raise ZeroDivisionError("of the callback")

    return gg.LambdaCallback(**{event: fail})


@pytest.mark.parametrize(
    ("event", "number", "epochs", "steps"),
    [
        ("on_epoch_begin", 2, 2, 6),
        ("on_epoch_end", 1, 2, 6),
        ("on_batch_begin", 1, 0, 1),
        ("on_batch_end", 1, 0, 2),
        ("on_batch_end", 2, 1, 3),
    ],
)
def test_an_exception_of_a_callback_leaves_all_as_the_last_step_did(event, number, epochs, steps):
    trainer = trainer_of(gg.SGD(0.1))
    with pytest.raises(ZeroDivisionError, match=r"^of the callback$"):
        trainer.fit(X, LABELS, callbacks=[failing(event, number)], shuffle=False, **FIT)
    assert len(trainer.history.epoch) == len(trainer.history.history["loss"]) == epochs
    same = classifier()
    step = gg.Trainer(same, "cross_entropy", gg.SGD(0.1))
    for i in range(steps):
        rows = slice(20 * (i % 3), 20 * (i % 3) + 20)
        step.train_on_batch(X[rows], LABELS[rows])
    assert_same(same.get_weights(), trainer.model.get_weights())
    assert math.isfinite(trainer.evaluate(X, LABELS)["loss"])
    trainer.fit(X, LABELS, **FIT)  # begins a new epoch
    assert trainer.history.epoch == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("event", "number", "epochs", "steps"),
    [
        ("on_train_begin", None, 0, 0),
        ("on_epoch_begin", 1, 1, 3),
        ("on_epoch_end", 1, 2, 6),
        ("on_batch_end", 1, 0, 2),  # an epoch under way is not in the history
        ("on_batch_end", 2, 1, 3),
    ],
)
def test_a_request_to_stop(event, number, epochs, steps):
    def stop(*arguments):
        if number is None or arguments[0] == number:
            trainer.stop_training = True

    ended = Recorder()
    trainer = trainer_of()
    trainer.fit(X, LABELS, callbacks=[gg.LambdaCallback(**{event: stop}), ended], **FIT)
    assert len(trainer.history.epoch) == epochs
    assert trainer._latest.step == steps
    assert ended.seen[-1][1] == "train end"
    trainer.fit(X, LABELS, **FIT)
    assert len(trainer.history.epoch) == 4  # it was this fit's alone


def test_another_thread_may_stop_a_silent_fit(runs):
    trainer = trainer_of()
    timer = threading.Timer(0.2, setattr, (trainer, "stop_training", True))
    timer.start()
    history = trainer.fit(X, LABELS, epochs=10**7, batch_size=1, verbose=0)
    timer.join()
    assert len(runs) == 1
    assert 0 < len(history.epoch) < 10**7
    assert len(history.history["loss"]) == len(history.epoch)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            gg.EarlyStopping(),
            TypeError,
            r"^callbacks must be a list, like \[EarlyStopping\(patience=3\)\]; given <ganglion",
        ),
        (
            [gg.EarlyStopping],
            TypeError,
            r"^callbacks\[0\] must be a Callback or a function f\(epoch, logs\) for the ends of epochs; given the "
            r"class EarlyStopping itself: write EarlyStopping\(\)$",
        ),
        (
            [print, object],
            TypeError,
            r"^callbacks\[1\] must .*the class object itself: derive it from ganglion.Callback$",
        ),
        (["early"], TypeError, r"^callbacks\[0\] must .* for the ends of epochs; given 'early' of type str$"),
        (
            [type("Foreign", (), {"on_epoch_end": None})()],
            TypeError,
            r"^callbacks\[0\] must .* of type Foreign: derive its class from ganglion.Callback$",
        ),
        (
            [gg.EarlyStopping()],
            ValueError,
            "^EarlyStopping watches 'val_loss', but this fit reports loss, accuracy: give it validation_data or "
            "validation_split, or watch one of these$",
        ),
        (
            [gg.ReduceOnPlateau("auc")],
            ValueError,
            "^ReduceOnPlateau watches 'auc', but this fit reports loss, accuracy: watch one of these, or add it to the "
            "trainer's metrics$",
        ),
        (
            [gg.Checkpoint("{epoch}-{auc}.st")],
            ValueError,
            r"^path '{epoch}-{auc}.st' may hold the fields {epoch}, {loss}, {accuracy}; given another \('auc'\)$",
        ),
        (
            [gg.LearningRateSchedule(lambda epoch, rate: -rate)],
            ValueError,
            "^the learning rate of epoch 0 must be finite and >= 0; given -0.001$",
        ),
        (
            [gg.LearningRateSchedule(lambda epoch, rate: None)],
            TypeError,
            "^the learning rate of epoch 0 must be a number; given None of type NoneType$",
        ),
    ],
)
def test_wrong_callbacks_of_a_fit(given, error, message):
    trainer = trainer_of()
    with pytest.raises(error, match=message):
        trainer.fit(X, LABELS, callbacks=given, verbose=0)
    assert_same(classifier().get_weights(), trainer.model.get_weights())
    trainer.fit(X, LABELS, verbose=0)
