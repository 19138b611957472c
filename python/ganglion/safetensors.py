"""The safetensors file format, read as if every file were hostile.

A file is eight bytes of header length (little-endian), a JSON header that starts with ``{``, and one buffer of numbers
that the tensors of the header cover without a gap or an overlap. This module reads and writes those of float32 and
float64; a header is validated whole before an array is allocated, and nothing in a file is ever executed. The format is
described in the README of https://github.com/huggingface/safetensors.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from ganglion.errors import CheckpointError

__all__ = [
    "Header",
    "TensorEntry",
    "encode",
    "opened",
    "parse_header",
    "parse_json",
    "read",
    "read_header",
    "read_tensor",
]

MAX_HEADER_BYTES = 8 * 1024 * 1024
MAX_TENSORS = 65_536
MAX_RANK = 8
MAX_INTEGER_DIGITS = 19  # any 64-bit size fits; keeps Python's unbounded integers, and the time they take, small
METADATA_KEY = "__metadata__"
ENTRY_KEYS = {"dtype", "shape", "data_offsets"}
DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}

_EXPORT = "load it with the program that wrote it and save its arrays with the safetensors package"
_PICKLE = ("a pickle, which can run code and is therefore never opened", _EXPORT)
# First bytes, what they announce, what to do. Looked at only once a file has turned out not to be safetensors.
SIGNATURES = {
    b"\x80\x02": _PICKLE,
    b"\x80\x03": _PICKLE,
    b"\x80\x04": _PICKLE,
    b"\x80\x05": _PICKLE,
    b"PK": ("a zip archive, as PyTorch, Keras and numpy.savez write", _EXPORT),
    b"\x89HDF\r\n\x1a\n": ("an HDF5 file, as older versions of Keras write", _EXPORT),
    b"\x93NUMPY": ("a NumPy .npy array", "load it with numpy.load and put it into a model with load_state_dict"),
    b"\x1f\x8b": ("a gzip archive", "decompress it first"),
    b"version https://git-lfs": ("a pointer of Git LFS", "fetch the file itself with: git lfs pull"),
    b"{": ("plain JSON", "give the .safetensors file that save() wrote"),
    b"<": ("an HTML or XML page", "look at how the file was downloaded"),
}


@dataclass(frozen=True)
class TensorEntry:
    """Where one tensor lies: `begin` and `end` are offsets into the file's buffer, in bytes."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a file's header says: the tensors in the order of their offsets, and the metadata."""

    tensors: dict[str, TensorEntry]
    metadata: dict[str, str]


def _refuse_constant(text: str) -> NoReturn:
    raise CheckpointError(f"{text} is not a number of JSON")


def _parse_integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise CheckpointError(f"an integer of {len(text)} digits, at most {MAX_INTEGER_DIGITS} are allowed")
    return int(text)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise CheckpointError(f"the key {key!r} stands there twice")
        result[key] = value
    return result


def parse_json(text: str, what: str) -> Any:
    """Parse JSON strictly: no key twice, no NaN or infinity, no long integer, no lone surrogate, no bottomless nesting.

    Raises
    ------
    CheckpointError
        The message begins with `what`.
    """
    try:
        value = json.loads(
            text, object_pairs_hook=_unique_keys, parse_int=_parse_integer, parse_constant=_refuse_constant
        )
        if "\\u" in text:  # only an escape can make a surrogate
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except CheckpointError as error:
        raise CheckpointError(f"{what}: {error}") from None
    except RecursionError:
        raise CheckpointError(f"{what}: nested too deeply") from None
    except UnicodeEncodeError:
        raise CheckpointError(f"{what}: a lone surrogate is not Unicode text") from None
    except ValueError as error:
        raise CheckpointError(f"{what}: not JSON ({error})") from None
    return value


def _is_size(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _parse_entry(name: str, entry: object) -> TensorEntry:
    where = f"tensor {name!r}"
    if not isinstance(entry, dict) or entry.keys() != ENTRY_KEYS:
        raise CheckpointError(f"{where}: expected an object of {sorted(ENTRY_KEYS)}, got {str(entry)[:80]}")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise CheckpointError(f"{where}: expected a dtype of {sorted(DTYPES)}, got {str(dtype)[:80]!r}")
    if not isinstance(shape, list) or len(shape) > MAX_RANK or not all(map(_is_size, shape)):
        raise CheckpointError(f"{where}: expected a shape of at most {MAX_RANK} 64-bit sizes, got {str(shape)[:80]}")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_is_size, offsets)):
        raise CheckpointError(f"{where}: expected two 64-bit sizes as data_offsets, got {str(offsets)[:80]}")
    begin, end = offsets
    size = math.prod(shape) * DTYPES[dtype].itemsize  # Python's integers do not overflow
    if end - begin != size:
        raise CheckpointError(
            f"{where}: shape {tuple(shape)} of {dtype} takes {size} bytes, data_offsets {offsets} span {end - begin}"
        )
    return TensorEntry(DTYPES[dtype], tuple(shape), begin, end)


def parse_header(raw: bytes, data_bytes: int) -> Header:
    """Validate a header against the number of bytes that follow it.

    Parameters
    ----------
    raw : bytes
        The JSON header as it stands in the file, padding included.
    data_bytes : int
        Size of the buffer behind the header.

    Raises
    ------
    CheckpointError
        A rule of the format, or a cap of this module, is broken.

    Examples
    --------
    >>> header = parse_header(b'{"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8)
    >>> header.tensors["bias"].shape
    (2,)
    >>> parse_header(b'{"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 12)
    Traceback (most recent call last):
    ...
    ganglion.errors.CheckpointError: the tensors cover 8 bytes, the file holds 12: it is damaged
    """
    if not raw.startswith(b"{"):
        raise CheckpointError("the header does not start with '{'")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError(f"the header is not UTF-8 (byte {error.start})") from None
    fields = parse_json(text, "the header")
    metadata = fields.pop(METADATA_KEY, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise CheckpointError(f"the header: {METADATA_KEY} must map names to strings")
    if len(fields) > MAX_TENSORS:
        raise CheckpointError(f"the header lists {len(fields)} tensors, at most {MAX_TENSORS} are allowed")
    entries = [(name, _parse_entry(name, entry)) for name, entry in fields.items()]
    entries.sort(key=lambda item: (item[1].begin, item[1].end))
    position = 0
    for name, entry in entries:
        if entry.begin != position:
            kind = "a gap" if entry.begin > position else "an overlap"
            raise CheckpointError(f"tensor {name!r} begins at byte {entry.begin} instead of {position}: {kind}")
        position = entry.end
    if position != data_bytes:
        raise CheckpointError(f"the tensors cover {position} bytes, the file holds {data_bytes}: it is damaged")
    return Header(dict(entries), metadata)


def _describe(start: bytes) -> str:
    for signature, (kind, remedy) in SIGNATURES.items():
        if start.startswith(signature):
            return f"not a safetensors file; it looks like {kind}: {remedy}"
    return "not a safetensors file, or a damaged one"


def _fill(file: RawIOBase, buffer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    view = buffer.data
    while view.nbytes:
        count = cast("int | None", file.readinto(view))
        if not count:
            raise CheckpointError(f"the file ended {view.nbytes} bytes early while it was being read")
        view = view[count:]
    return buffer


def read_header(file: RawIOBase) -> Header:
    """Validate the header of a file just opened; the file then stands at the start of its buffer.

    Raises
    ------
    CheckpointError
        The file is not safetensors; the message says what it looks like.
    """
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError("not a regular file")
    if status.st_size == 0:
        raise CheckpointError("the file is empty, as a full disk or a broken copy leaves one: fetch or save it again")
    start = _fill(file, np.empty(min(32, status.st_size), np.uint8)).tobytes()
    length, available = int.from_bytes(start[:8], "little"), status.st_size - 8
    if start[8:9] != b"{":
        raise CheckpointError(_describe(start))
    if length > MAX_HEADER_BYTES:
        raise CheckpointError(f"the header claims {length} bytes, at most {MAX_HEADER_BYTES} are allowed")
    if length > available:
        raise CheckpointError(f"the header claims {length} bytes, the file holds {available}: it is truncated")
    file.seek(8)
    return parse_header(_fill(file, np.empty(length, np.uint8)).tobytes(), available - length)


def read_tensor(file: RawIOBase, entry: TensorEntry) -> NDArray[Any]:
    """Read the next tensor; they are read in the order of a validated header."""
    array: NDArray[Any] = np.empty(entry.shape, entry.dtype)
    _fill(file, array.reshape(-1).view(np.uint8))
    return array


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[RawIOBase]:
    """Open a file to read, and put its path before the message of a `CheckpointError`."""
    # O_NONBLOCK: a pipe is opened at once, and then refused as no regular file, instead of waited for.
    file = open(path, "rb", buffering=0, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
    with file:
        try:
            yield file
        except CheckpointError as error:
            raise type(error)(f"{Path(path)}: {error}") from None


def read(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Read the tensors and the metadata of any safetensors file of float32 and float64, whoever wrote it.

    Raises
    ------
    CheckpointError
        The file breaks a rule of the format.
    FileNotFoundError, IsADirectoryError, PermissionError, OSError
        It cannot be read.

    Examples
    --------
    >>> pieces = encode({"bias": np.ones(2, np.float32)}, {"made by": "hand"})
    >>> _ = Path("arrays.safetensors").write_bytes(b"".join(pieces))
    >>> read("arrays.safetensors")
    ({'bias': array([1., 1.], dtype=float32)}, {'made by': 'hand'})
    """
    with opened(path) as file:
        header = read_header(file)
        return {name: read_tensor(file, entry) for name, entry in header.tensors.items()}, header.metadata


def encode(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> list[bytes | memoryview]:
    """Give the pieces of a file: the header, then each tensor's buffer, uncopied where it is contiguous.

    The header is padded with spaces so that the buffer starts at a multiple of eight bytes.

    Raises
    ------
    TypeError
        A tensor is neither float32 nor float64.
    ValueError
        A cap of this module is exceeded.
    """
    if len(tensors) > MAX_TENSORS:
        raise ValueError(f"expected at most {MAX_TENSORS} tensors, got {len(tensors)}")
    fields: dict[str, object] = {METADATA_KEY: dict(metadata)} if metadata else {}
    buffers = []
    position = 0
    for name, tensor in tensors.items():
        dtype = tensor.dtype.newbyteorder("<")
        if dtype not in DTYPE_NAMES:
            raise TypeError(f"tensor {name!r}: expected float32 or float64, got {tensor.dtype}")
        if tensor.ndim > MAX_RANK:
            raise ValueError(f"tensor {name!r}: expected a rank of at most {MAX_RANK}, got {tensor.ndim}")
        if name == METADATA_KEY:
            raise ValueError(f"tensor {name!r}: the format keeps this name for itself")
        buffers.append(np.asarray(tensor, dtype, order="C").reshape(-1).view(np.uint8).data)
        offsets = [position, position + tensor.nbytes]
        fields[name] = {"dtype": DTYPE_NAMES[dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        position += tensor.nbytes
    header = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    header += b" " * (-len(header) % 8)
    if len(header) > MAX_HEADER_BYTES:
        raise ValueError(f"the header takes {len(header)} bytes, at most {MAX_HEADER_BYTES} are allowed")
    return [len(header).to_bytes(8, "little"), header, *buffers]
