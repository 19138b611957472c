"""What a fit saw as files that TensorBoard reads, written without TensorFlow.

An event file is a sequence of records: the length of the data as uint64, a checksum of these eight bytes as uint32, the
data, a checksum of the data; all little-endian. A checksum is a CRC-32C, rotated and shifted by a constant. The data is
an ``Event``, a protocol buffer; the first one says the version of the format.

Sources: ``tensorflow/core/lib/io/record_writer.h`` and ``core/lib/hash/crc32c.h`` for records and checksums,
``core/util/event.proto`` and ``core/framework/summary.proto`` for the messages and the numbers of their fields, all of
TensorFlow; https://protobuf.dev/programming-guides/encoding for their bytes; RFC 3720, section 12.1 and appendix B.4,
for CRC-32C. Folders and tags are those of Keras's callback of the same name.
"""

from __future__ import annotations

import os
import struct
import time
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ganglion import inputs
from ganglion.arguments import known_arguments
from ganglion.events import Callback

if TYPE_CHECKING:
    from pathlib import Path

    from ganglion.events import Logs

__all__ = ["TensorBoard", "crc32c"]

VERSION = b"brain.Event:2"
POLYNOMIAL = 0x82F63B78  # Castagnoli's, 0x1EDC6F41, its bits in reverse
MASK = 0xA282EAD8  # what a checksum is shifted by where it is stored beside its data

# Numbers of the fields, and how the kinds of values are marked beside them.
WALL_TIME, STEP, FILE_VERSION, SUMMARY = 1, 2, 3, 5  # of an Event
VALUE = 1  # of a Summary
TAG, SIMPLE_VALUE = 1, 2  # of a Value
VARINT, DOUBLE, BYTES, FLOAT = 0, 1, 2, 5

ONLY_VALUES = "the values of the history are written, after each epoch"


class TensorBoard(Callback):
    """Writes the values of the history after each epoch for TensorBoard: ``tensorboard --logdir logs``.

    The folder ``train`` in `log_dir` gets the loss and metrics of training and the learning rate of the next step, the
    folder ``validation`` what the history calls ``"val_…"``. Tags are ``epoch_loss``, ``epoch_accuracy``,
    ``epoch_learning_rate`` and so on, the same in both, so that a chart has both curves; the step is the epoch, from 0.
    Values are float32, as the format has them. An event of TensorBoard has the time of day, and so has a file's name.

    Each `fit` begins new files and leaves those that are there. One that goes on, with `initial_epoch`, continues their
    curves; one that begins anew needs a folder of its own, or its curves lie over the others.

    Parameters
    ----------
    log_dir
        The folder. It is made if it is not there.

    Raises
    ------
    TypeError
        If `log_dir` is no path; at the end of an epoch, if another callback put into the logs what is no number.
    OSError
        If a file cannot be written; that ends the fit, before its first step if the folder cannot be made.

    Examples
    --------
    >>> import numpy as np, tempfile, ganglion as gg
    >>> folder = tempfile.TemporaryDirectory()
    >>> trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse")
    >>> log = gg.TensorBoard(folder.name)
    >>> history = trainer.fit(np.eye(4), np.ones(4), epochs=2, validation_split=0.5, callbacks=[log], verbose=0)
    >>> sorted(path.parent.name for path in log.log_dir.glob("*/events.out.tfevents.*"))
    ['train', 'validation']
    >>> folder.cleanup()
    """

    @known_arguments(
        {
            **dict.fromkeys(("update_freq", "write_steps_per_second", "profile_batch", "write_graph"), ONLY_VALUES),
            **dict.fromkeys(
                ("histogram_freq", "write_images"), "ganglion.Monitor and ganglion.plotting show what the layers do"
            ),
        }
    )
    def __init__(self, log_dir: str | os.PathLike[str] = "logs") -> None:
        self.log_dir = inputs.path("log_dir", log_dir)
        self._files: dict[str, Path] = {}

    def on_train_begin(self, logs: Logs = None) -> None:
        """Begin the files."""
        del logs
        self._files = {}
        history = self.trainer.history
        for name in history.history if history is not None else ():
            self._file(self._place(name)[0])

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write an event to each file."""
        summaries: dict[str, bytes] = {}
        for name, value in {**(logs or {}), "learning_rate": self.trainer.learning_rate}.items():
            folder, tag = self._place(name)
            summaries[folder] = summaries.get(folder, b"") + _value(name, tag, value)
        for folder, summary in summaries.items():
            # Opened anew each time: whatever ends the fit, the file is closed and whole.
            with self._file(folder).open("ab") as file:
                file.write(_record(_event(_bytes(SUMMARY, summary), epoch)))

    def _place(self, name: str) -> tuple[str, str]:
        """Folder and tag of a value of the logs."""
        if name.startswith("val_") and name not in self.trainer.names:
            return "validation", f"epoch_{name.removeprefix('val_')}"
        return "train", f"epoch_{name}"

    def _file(self, folder: str) -> Path:
        """The file of the fit in that folder, begun if it is not there."""
        if folder not in self._files:
            self._files[folder] = _begin(self.log_dir / folder)
        return self._files[folder]


def _begin(folder: Path) -> Path:
    """A new event file; its name begins with the time, as TensorBoard reads those of a folder in the order of names."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        seconds, nanoseconds = divmod(time.time_ns(), 10**9)
        path = folder / f"events.out.tfevents.{seconds:010d}.{nanoseconds:09d}.{os.getpid()}.v2"
        try:
            with path.open("xb") as file:
                file.write(_record(_event(_bytes(FILE_VERSION, VERSION))))
        except FileExistsError:  # of the same tick of the clock
            continue
        return path


def crc32c(data: bytes) -> int:
    """CRC-32C of some bytes: the remainder of their polynomial over GF(2), by Castagnoli's; RFC 3720, appendix B.4.

    Examples
    --------
    >>> hex(crc32c(bytes(32)))
    '0x8a9136aa'
    """
    table = _remainders()
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[crc & 0xFF ^ byte]
    return crc ^ 0xFFFFFFFF


@cache
def _remainders() -> tuple[int, ...]:
    """Of each byte."""
    remainders = list(range(256))
    for _ in range(8):
        remainders = [crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0) for crc in remainders]
    return tuple(remainders)


def _checksum(data: bytes) -> bytes:
    crc = crc32c(data)
    rotated = crc >> 15 | crc << 17 & 0xFFFFFFFF
    return struct.pack("<I", rotated + MASK & 0xFFFFFFFF)


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _event(what: bytes, step: int = 0) -> bytes:
    now = _key(WALL_TIME, DOUBLE) + struct.pack("<d", time.time())
    return now + _key(STEP, VARINT) + _varint(step) + what


def _value(name: str, tag: str, value: float) -> bytes:
    """A value of a summary."""
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite there
            number = np.float32(float(value))
    except (TypeError, ValueError):
        raise TypeError(f"logs[{name!r}] must be a number; given {value!r} of type {type(value).__name__}") from None
    return _bytes(VALUE, _bytes(TAG, tag.encode()) + _key(SIMPLE_VALUE, FLOAT) + struct.pack("<f", number))


def _bytes(field: int, data: bytes) -> bytes:
    return _key(field, BYTES) + _varint(len(data)) + data


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first, the eighth bit set in all bytes but the last."""
    groups = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])
