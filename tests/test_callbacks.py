"""The callbacks that come along: when they stop, what they write, which rates they set."""

import csv
import math

import pytest

import ganglion as gg
from ganglion import callbacks
from small_models import LABELS, X, assert_same, classifier, weights_after


def trainer_of():
    return gg.Trainer(classifier(), "cross_entropy", metrics=["accuracy"])


VALIDATION = [0.9, 0.5, 0.6, 0.4, 0.41, 0.42, 0.43, 0.2]


@pytest.fixture
def script(monkeypatch):
    """Makes the validation say what the test wants, epoch by epoch."""

    def set_to(values, name="loss"):
        left = iter(values)
        monkeypatch.setattr(gg.Trainer, "_measure", lambda self, *data: dict.fromkeys(self._names, next(left)))
        return name

    return set_to


def fitted(callback, epochs=8, **options):
    trainer = trainer_of()
    trainer.fit(X, LABELS, epochs=epochs, validation_data=(X, LABELS), callbacks=[callback], verbose=0, **options)
    return trainer


@pytest.mark.parametrize(
    ("options", "epochs", "best"),
    [
        ({}, 3, 1),
        ({"patience": 1}, 3, 1),
        ({"patience": 2}, 6, 3),
        ({"patience": 4}, 8, 7),
        ({"patience": 1, "min_delta": 0.45}, 2, 0),
        ({"patience": 2, "start_from_epoch": 4}, 7, 4),
        ({"patience": 1, "baseline": 0.5}, 1, None),
        ({"patience": 4, "baseline": 0.5}, 8, 7),
        ({"monitor": "val_accuracy", "patience": 2}, 3, 0),
        ({"monitor": "val_loss", "mode": "max", "patience": 2}, 3, 0),
    ],
)
def test_early_stopping(script, options, epochs, best):
    script(VALIDATION)
    stopping = gg.EarlyStopping(**options)
    trainer = fitted(stopping)
    assert len(trainer.history.epoch) == epochs
    assert stopping.best_epoch == best
    assert stopping.stopped_epoch == (None if epochs == 8 and best == 7 else epochs - 1)
    kept = epochs if best is None else best + 1
    assert_same(weights_after(classifier(), {"epochs": kept}), trainer.model.get_weights())


def test_early_stopping_goes_back_at_the_end_too_and_not_where_it_must_not(script):
    script([0.5, 0.1, 0.2, 0.3] * 2)
    assert_same(weights_after(classifier(), {"epochs": 2}), fitted(gg.EarlyStopping(patience=9), 4).model.get_weights())
    trainer = fitted(gg.EarlyStopping(patience=9, restore_best_weights=False), 4)
    assert_same(weights_after(classifier(), {"epochs": 4}), trainer.model.get_weights())


def test_early_stopping_forgets_the_fit_before(script):
    script([0.1, 0.2, 0.5, 0.4, 0.3])
    stopping = gg.EarlyStopping(patience=1)
    fitted(stopping)
    assert (stopping.best, stopping.stopped_epoch) == (0.1, 1)
    fitted(stopping, 3)
    assert (stopping.best, stopping.stopped_epoch) == (0.3, None)


def test_a_value_that_is_not_a_number_is_no_improvement(script):
    script([math.nan, 0.5, math.nan, math.nan])
    stopping = gg.EarlyStopping(patience=2)
    assert len(fitted(stopping).history.epoch) == 4
    assert stopping.best_epoch == 1


def test_verbose_callbacks_say_what_they_did(script, capsys, tmp_path):
    script(VALIDATION)
    fitted(gg.EarlyStopping(patience=2, verbose=1))
    assert capsys.readouterr().out.splitlines() == [
        "epoch 6: stopped, as val_loss has not improved on 0.4",
        "epoch 4: back to its weights, val_loss 0.4",
    ]
    script(VALIDATION)
    fitted(gg.Checkpoint(tmp_path / "model.safetensors", verbose=1), 1)
    assert capsys.readouterr().out == f"epoch 1: written to {tmp_path / 'model.safetensors'}\n"


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("run/", {}, {"run/last.safetensors": 5, "run/best.safetensors": 4}),
        ("run", {}, {"run/last.safetensors": 5, "run/best.safetensors": 4}),
        ("deep/v1.0/", {"save_best_only": True}, {"deep/v1.0/best.safetensors": 4}),
        ("run/", {"monitor": "val_accuracy"}, {"run/last.safetensors": 5, "run/best.safetensors": 1}),
        ("run/", {"monitor": "loss", "mode": "max"}, {"run/last.safetensors": 5, "run/best.safetensors": 1}),
        ("model.safetensors", {}, {"model.safetensors": 5}),
        ("model.safetensors", {"save_best_only": True}, {"model.safetensors": 4}),
        ("new/{epoch}.st", {}, {f"new/{i}.st": i for i in range(1, 6)}),
        ("{epoch:02d}-{val_loss:.1f}.st", {"save_best_only": True}, {"01-0.9.st": 1, "02-0.5.st": 2, "04-0.4.st": 4}),
        ("after-{epoch}", {"save_best_only": True}, {"after-1": 1, "after-2": 2, "after-4": 4}),
    ],
)
def test_checkpoint(script, tmp_path, monkeypatch, path, options, expected):
    monkeypatch.chdir(tmp_path)
    script(VALIDATION)
    fitted(gg.Checkpoint(path, **options), 5)
    written = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert written == set(expected)
    for name, epochs in expected.items():
        assert_same(weights_after(classifier(), {"epochs": epochs}), gg.load(name).get_weights())


def test_checkpoint_without_validation_takes_the_loss(tmp_path):
    trainer = trainer_of()
    trainer.fit(X, LABELS, epochs=2, callbacks=[gg.Checkpoint(tmp_path)], verbose=0)
    assert trainer.history.history["loss"][1] < trainer.history.history["loss"][0]
    assert_same(trainer.model.get_weights(), gg.load(tmp_path / "best.safetensors").get_weights())


def test_a_checkpoint_that_cannot_be_written_ends_the_fit(tmp_path):
    (tmp_path / "file").write_text("")
    trainer = trainer_of()
    with pytest.raises(OSError, match="file"):
        trainer.fit(X, LABELS, callbacks=[gg.Checkpoint(tmp_path / "file" / "model.st")], verbose=0)
    assert_same(classifier().get_weights(), trainer.model.get_weights())  # before the first step


def lines_of(path):
    return list(csv.reader(path.read_text().splitlines()))


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    trainer = trainer_of()
    fit = {"epochs": 3, "validation_split": 0.2, "verbose": 0}
    first = trainer.fit(X, LABELS, callbacks=[gg.CSVLogger(path)], **fit)
    header, *rows = lines_of(path)
    assert header == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert [row[0] for row in rows] == ["0", "1", "2"]
    columns = zip(*([float(value) for value in row[1:]] for row in rows), strict=True)
    assert list(map(list, columns)) == list(first.history.values())  # every digit
    trainer.fit(X, LABELS, callbacks=[gg.CSVLogger(path, append=True)], initial_epoch=3, **(fit | {"epochs": 5}))
    assert [row[0] for row in lines_of(path)] == ["epoch", "0", "1", "2", "3", "4"]
    trainer.fit(X, LABELS, callbacks=[gg.CSVLogger(path, separator=";")], verbose=0)
    assert path.read_text().startswith("epoch;loss;accuracy\n0;")
    with pytest.raises(
        ValueError, match=r"log.csv has the columns epoch;loss;accuracy, and this fit reports epoch, loss"
    ):
        trainer.fit(X, LABELS, callbacks=[gg.CSVLogger(path, append=True)], verbose=0)


def test_csv_logger_has_the_epochs_before_an_exception(tmp_path):
    def failing(epoch, logs):
        del logs
        1 / (2 - epoch)

    trainer = trainer_of()
    with pytest.raises(ZeroDivisionError):
        trainer.fit(X, LABELS, callbacks=[gg.CSVLogger(tmp_path / "log"), failing], epochs=4, verbose=0)
    assert len((tmp_path / "log").read_text().splitlines()) == 1 + 3


def rates_of(callback, epochs=6, optimizer=None, **options):
    """The rate that each epoch was made with."""
    rates = []
    trainer = gg.Trainer(classifier(), "cross_entropy", optimizer or gg.SGD(0.5))
    note = gg.LambdaCallback(on_batch_begin=lambda step, logs: rates.append(trainer.learning_rate) if step == 0 else 0)
    trainer.fit(X, LABELS, epochs=epochs, callbacks=[callback, note], verbose=0, **options)
    return rates


def test_learning_rate_schedule():
    of_both = rates_of(gg.LearningRateSchedule(lambda epoch, rate: rate / 2 if epoch else rate), 4)
    assert of_both == [0.5, 0.25, 0.125, 0.0625]
    assert rates_of(callbacks.LearningRateScheduler(lambda epoch: 1 / (1 + epoch)), 3) == [1.0, 0.5, 1 / 3]


def test_the_rate_of_a_callback_is_that_of_the_steps():
    trainer = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.5))
    trainer.fit(X, LABELS, epochs=2, callbacks=[gg.LearningRateSchedule(lambda epoch: 0.25)], verbose=0)
    assert_same(weights_after(classifier(), {"epochs": 2}, optimizer=gg.SGD(0.25)), trainer.model.get_weights())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"patience": 1}, [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.125, 0.0625]),
        ({"patience": 2}, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5]),
        ({"patience": 1, "cooldown": 2}, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "min_rate": 0.25}, [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25]),
        ({"patience": 9}, [1.0] * 8),
    ],
)
def test_reduce_on_plateau(script, options, expected):
    script(VALIDATION)
    reduce = gg.ReduceOnPlateau(factor=0.5, **options)
    assert rates_of(reduce, 8, gg.SGD(1.0), validation_data=(X, LABELS)) == expected


def test_keras_s_names(script, tmp_path):
    script(VALIDATION)
    reduce = callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1, min_lr=0.25)
    rates = rates_of(reduce, 8, gg.SGD(1.0), validation_data=(X, LABELS))
    assert rates == [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25]
    script(VALIDATION)
    fitted(callbacks.ModelCheckpoint(filepath=str(tmp_path / "model.keras"), save_best_only=True), 3)
    best = gg.load(tmp_path / "model.keras").get_weights()
    assert_same(weights_after(classifier(), {"epochs": 2}), best)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: gg.EarlyStopping(patience=-1),
            ValueError,
            "^patience must be at least 0; given -1$",
        ),
        (lambda: gg.EarlyStopping(3), TypeError, "^monitor must be a name like 'val_loss'; given 3 of type int$"),
        (lambda: gg.EarlyStopping(mode="down"), ValueError, "^mode must be 'auto', 'min' or 'max'; given 'down'$"),
        (lambda: gg.EarlyStopping(min_delta=-0.1), ValueError, "^min_delta must be finite and >= 0; given -0.1$"),
        (
            lambda: gg.EarlyStopping(restore_best_weights=1),
            TypeError,
            "^restore_best_weights must be True or False; given 1 of type int$",
        ),
        (lambda: gg.Checkpoint(3), TypeError, "^path must be a path; given 3 of type int$"),
        (lambda: gg.CSVLogger(None), TypeError, "^path must be a path; given None of type NoneType$"),
        (lambda: gg.CSVLogger("x", separator=", "), ValueError, "^separator must be one character; given ', '$"),
        (lambda: gg.ReduceOnPlateau(factor=1.0), ValueError, "^factor must be finite and > 0 and < 1; given 1.0$"),
        (
            lambda: gg.LearningRateSchedule(0.1),
            TypeError,
            r"^function must be one of the epoch and the rate, like lambda epoch, rate: 0.9 \* rate; given 0.1$",
        ),
        (
            lambda: callbacks.ModelCheckpoint("x", save_freq=100),
            ValueError,
            "^save_freq must be 'epoch'; given 100; for steps write on_batch_end of a Callback$",
        ),
        (
            lambda: gg.LambdaCallback(on_step_end=print),
            TypeError,
            "^a callback has no 'on_step_end'; known: on_train_begin, on_train_end, on_epoch_begin, on_epoch_end, ",
        ),
        (
            lambda: gg.LambdaCallback(on_epoch_end=3),
            TypeError,
            "^on_epoch_end must be a function; given 3 of type int$",
        ),
    ],
)
def test_wrong_arguments_of_callbacks(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_value_of_which_nothing_is_known_wants_a_mode(script):
    from ganglion.watching import _sign

    assert [_sign(name, "auto") for name in ("val_loss", "mse", "val_accuracy", "top_k_accuracy", "auc")] == [
        -1,
        -1,
        1,
        1,
        1,
    ]
    with pytest.raises(ValueError, match=r"^nothing is known of 'gain': say .* mode='min' or 'max'$"):
        _sign("gain", "auto")
    assert _sign("gain", "max") == 1
