"""Event files, read by a reader of the test's own: records, checksums, tags, steps and values."""

import math
import struct
import time

import numpy as np
import pytest

import ganglion as gg
from ganglion import callbacks
from ganglion.tensorboard import crc32c
from small_models import LABELS, VALUES, X, assert_said, assert_same, classifier, regressor, weights_after

# RFC 3720, appendix B.4, and the check value of the catalogues.
VECTORS = {
    bytes(32): 0x8A9136AA,
    b"\xff" * 32: 0x62A8AB43,
    bytes(range(32)): 0x46DD794E,
    bytes(range(31, -1, -1)): 0x113FDB5C,
    b"123456789": 0xE3069283,
    b"": 0,
}


def slow_crc(data):
    """Bit by bit, over the polynomial as it is written, the bits of bytes and result being mirrored."""
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= int(f"{byte:08b}"[::-1], 2) << 24
        for _ in range(8):
            remainder = (remainder << 1) ^ (0x11EDC6F41 if remainder >> 31 else 0)
    return int(f"{remainder ^ 0xFFFFFFFF:032b}"[::-1], 2)


@pytest.mark.parametrize("crc", [crc32c, slow_crc])
@pytest.mark.parametrize("data", VECTORS, ids=lambda data: data[:4].hex() or "empty")
def test_crc(crc, data):
    assert crc(data) == VECTORS[data]


def unmasked(stored):
    rotated = (stored - 0xA282EAD8) % 2**32
    return (rotated << 15 | rotated >> 17) % 2**32


def records(data):
    while data:
        length, check = struct.unpack_from("<QI", data)
        assert unmasked(check) == slow_crc(data[:8])
        content, rest = data[12 : 12 + length], data[12 + length :]
        assert len(content) == length
        assert unmasked(struct.unpack_from("<I", rest)[0]) == slow_crc(content)
        yield content
        data = rest[4:]


def varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return number, at


def fields(message):
    """The fields of a protocol buffer, as (number, value)."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(message, at)
        else:
            size, at = varint(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = message[at : at + size], at + size
            assert len(value) == size
            value = struct.unpack("<d" if kind == 1 else "<f", value)[0] if kind in (1, 5) else value
        yield key >> 3, value


def events_of(path):
    """The epochs in a file as (step, {tag: value}), and the times of all events."""
    first, *others = [dict(fields(record)) for record in records(path.read_bytes())]
    assert first.pop(3) == b"brain.Event:2"
    assert set(first) <= {1, 2}
    read = []
    for event in others:
        assert set(event) == {1, 2, 5}
        values = [dict(fields(value)) for number, value in fields(event[5]) if number == 1]
        read.append((event[2], {value[1].decode(): value[2] for value in values}))
    return read, [event[1] for event in (first, *others)]


def only_file(folder):
    (path,) = folder.iterdir()
    assert path.name.startswith("events.out.tfevents.")
    return path


def expected_of(history, names):
    columns = {tag: np.float32(history.history[name]) for name, tag in names.items()}
    return [(epoch, {tag: values[i] for tag, values in columns.items()}) for i, epoch in enumerate(history.epoch)]


def test_the_values_of_each_epoch(tmp_path):
    began = time.time()
    trainer = gg.Trainer(classifier(), "cross_entropy", metrics=["accuracy"])
    log = gg.TensorBoard(tmp_path / "new" / "logs")
    history = trainer.fit(X, LABELS, epochs=3, validation_data=(X, LABELS), callbacks=[log], verbose=0)
    assert sorted(path.name for path in log.log_dir.iterdir()) == ["train", "validation"]

    train, times = events_of(only_file(log.log_dir / "train"))
    rates = [values.pop("epoch_learning_rate") for _, values in train]
    assert train == expected_of(history, {"loss": "epoch_loss", "accuracy": "epoch_accuracy"})
    assert rates == [np.float32(0.001)] * 3
    assert sorted(times) == times
    assert began <= times[0] <= times[-1] <= time.time()

    validation, _ = events_of(only_file(log.log_dir / "validation"))
    assert validation == expected_of(history, {"val_loss": "epoch_loss", "val_accuracy": "epoch_accuracy"})
    assert_same(weights_after(classifier(), {"epochs": 3}), trainer.model.get_weights())


def test_what_does_not_fit_together_is_found(tmp_path):
    log = gg.TensorBoard(tmp_path)
    gg.Trainer(regressor(), "mse").fit(X, VALUES, callbacks=[log], verbose=0)
    path = only_file(tmp_path / "train")
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises((AssertionError, struct.error)):
            events_of(path)


def test_each_fit_has_files_of_its_own_which_are_in_order(tmp_path, monkeypatch):
    trainer = gg.Trainer(regressor(), "mse", gg.SGD(gg.LinearDecay(0.1, 0.0, steps=100)))
    log = gg.TensorBoard(tmp_path)
    trainer.fit(X, VALUES, epochs=2, callbacks=[log], verbose=0)
    trainer.fit(X, VALUES, epochs=302, initial_epoch=300, callbacks=[log], verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == ["train"]
    first, second = (events_of(path)[0] for path in sorted((tmp_path / "train").iterdir()))
    assert [epoch for epoch, _ in first + second] == [0, 1, 300, 301]
    rates = [values["epoch_learning_rate"] for _, values in first + second]
    assert rates == pytest.approx([0.098, 0.096, 0.094, 0.092], rel=1e-6)  # of two steps an epoch

    ticks = iter([7 * 10**9, 7 * 10**9, 7 * 10**9, 7 * 10**9 + 100])
    monkeypatch.setattr(time, "time_ns", lambda: next(ticks))
    for _ in range(2):
        trainer.fit(X, VALUES, callbacks=[log], verbose=0)
    assert len(list((tmp_path / "train").iterdir())) == 4


def test_what_another_callback_adds_to_the_logs_and_what_float32_cannot_hold(tmp_path):
    def add(epoch, logs):
        logs |= {"val_größe": np.float32(1.5), "huge": -1e300, "undefined": math.nan}

    gg.Trainer(regressor(), "mse").fit(X, VALUES, callbacks=[add, gg.TensorBoard(tmp_path)], verbose=0)
    assert events_of(only_file(tmp_path / "validation"))[0] == [(0, {"epoch_größe": 1.5})]
    ((_, train),) = events_of(only_file(tmp_path / "train"))[0]
    assert train["epoch_huge"] == -math.inf
    assert math.isnan(train["epoch_undefined"])


def test_an_exception_leaves_a_whole_file(tmp_path):
    def fail(epoch, logs):
        if epoch == 1:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        gg.Trainer(regressor(), "mse").fit(X, VALUES, epochs=4, callbacks=[gg.TensorBoard(tmp_path), fail], verbose=0)
    assert [epoch for epoch, _ in events_of(only_file(tmp_path / "train"))[0]] == [0, 1]


def test_a_folder_that_cannot_be_made_ends_the_fit_before_its_first_step(tmp_path):
    (tmp_path / "file").write_text("")
    trainer = gg.Trainer(regressor(), "mse")
    with pytest.raises(OSError, match="file"):
        trainer.fit(X, VALUES, callbacks=[gg.TensorBoard(tmp_path / "file")], verbose=0)
    assert_same(regressor().get_weights(), trainer.model.get_weights())


def test_keras_names(tmp_path):
    assert callbacks.TensorBoard is gg.TensorBoard
    assert gg.TensorBoard().log_dir.name == "logs"
    model = regressor()
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(X, VALUES, callbacks=[gg.TensorBoard(log_dir=str(tmp_path))], verbose=0)
    ((_, values),) = events_of(only_file(tmp_path / "train"))[0]
    assert set(values) == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}


def test_wrong_arguments(tmp_path):
    assert_said(lambda: gg.TensorBoard(3), TypeError, "log_dir must be a path; given 3 of type int")
    assert_said(
        lambda: gg.TensorBoard("logs", histogram_freq=1),
        TypeError,
        "unknown argument of TensorBoard 'histogram_freq'; known: log_dir; ganglion.Monitor and ganglion.plotting show "
        "what the layers do",
    )

    def add(epoch, logs):
        logs["note"] = "good"

    assert_said(
        lambda: gg.Trainer(regressor(), "mse").fit(X, VALUES, callbacks=[add, gg.TensorBoard(tmp_path)], verbose=0),
        TypeError,
        "logs['note'] must be a number; given 'good' of type str",
    )
    assert_said(
        lambda: callbacks.TerminateOnNaN,
        AttributeError,
        "module 'ganglion.callbacks' has no attribute 'TerminateOnNaN': fit ends by itself, with a "
        "TrainingDivergedError, before a step that would make a weight NaN or infinite",
    )
    assert_said(
        lambda: callbacks.EarlyStoping,
        AttributeError,
        "module 'ganglion.callbacks' has no attribute 'EarlyStoping': did you mean 'EarlyStopping'?",
    )
