"""The safetensors format: exact bytes, the package as the judge, and headers that break one rule each."""

import json
import os
import struct
import tracemalloc

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import ganglion as gg
from ganglion.errors import CheckpointError
from ganglion.safetensors import encode, parse_header, read


def test_the_bytes_of_a_tiny_file():
    tensors = {"w": np.array([[1.0, -2.0]], np.float32), "b": np.array([0.5])}
    header = (
        b'{"__metadata__":{"made by":"hand"},'
        b'"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}'
    )
    header += b" " * (-len(header) % 8)
    data = b"\x00\x00\x80\x3f\x00\x00\x00\xc0" + b"\x00\x00\x00\x00\x00\x00\xe0\x3f"
    assert b"".join(encode(tensors, {"made by": "hand"})) == struct.pack("<Q", len(header)) + header + data


ARRAYS = {
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "Größe": np.array([np.pi, -0.0]),
    "scalar": np.array(2.5, np.float32),
    "nothing": np.zeros((0, 3), np.float32),
    "rank 8": np.arange(4.0).reshape(1, 2, 1, 1, 2, 1, 1, 1),
}


def assert_same_arrays(actual, expected):
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        assert (actual[name].dtype, actual[name].shape) == (array.dtype, array.shape)
        assert actual[name].tobytes() == array.tobytes()


def test_the_package_reads_what_we_write(tmp_path):
    path = tmp_path / "arrays"
    path.write_bytes(b"".join(encode(ARRAYS, {"who": "wir"})))
    assert_same_arrays(safetensors.numpy.load_file(path), ARRAYS)
    with safetensors.safe_open(path, framework="numpy") as file:
        assert file.metadata() == {"who": "wir"}


def test_we_read_what_the_package_writes(tmp_path):
    path = tmp_path / "arrays"
    safetensors.numpy.save_file(ARRAYS, path, metadata={"who": "wir"})
    tensors, metadata = read(path)
    assert_same_arrays(tensors, ARRAYS)
    assert metadata == {"who": "wir"}


LAYOUTS = {
    "Fortran": lambda array: np.asfortranarray(array),
    "every second": lambda array: np.repeat(array, 2, axis=1)[:, ::2],
    "backwards": lambda array: np.ascontiguousarray(array[::-1, ::-1])[::-1, ::-1],
    "byte-swapped": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "misaligned": lambda array: (
        np.frombuffer(b"-" + array.tobytes(), np.uint8)[1:].view(array.dtype).reshape(array.shape)
    ),
    "read-only": lambda array: np.lib.stride_tricks.as_strided(array, writeable=False),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_of_any_layout_are_written_by_value(layout, dtype):
    array = np.arange(12, dtype=dtype).reshape(3, 4)
    given = LAYOUTS[layout](array)
    np.testing.assert_array_equal(given, array)
    assert b"".join(encode({"a": given}, {})) == b"".join(encode({"a": array}, {}))


@pytest.mark.parametrize(
    ("tensors", "error", "message"),
    [
        ({"a": np.zeros(2, np.float16)}, TypeError, "tensor 'a': expected float32 or float64, got float16"),
        ({"a": np.zeros(2, int)}, TypeError, "tensor 'a': expected float32 or float64, got int64"),
        ({"a": np.zeros((1,) * 9)}, ValueError, "tensor 'a': expected a rank of at most 8, got 9"),
        ({"__metadata__": np.zeros(1)}, ValueError, "the format keeps this name for itself"),
        (dict.fromkeys(map(str, range(65_537)), np.zeros(1)), ValueError, "expected at most 65536 tensors, got 65537"),
        ({"a" * 2**23: np.zeros(1)}, ValueError, "the header takes 8388.* bytes, at most 8388608 are allowed"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tensors, error, message):
    with pytest.raises(error, match=message):
        encode(tensors, {})


# Headers. Each text breaks one rule; the buffer is as long as its offsets say.

GOOD = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'


def entry(dtype='"F32"', shape="[2]", offsets="[0,8]", more=""):
    return f'{{"a":{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}{more}}}}}'


def two(*offsets):
    names = ("a", "b")
    return json.dumps(
        {n: {"dtype": "F32", "shape": [2], "data_offsets": o} for n, o in zip(names, offsets, strict=True)}
    )


HEADERS = {
    "starts with a space": (" {" + GOOD + "}", 8, "the header does not start with '{'"),
    "no UTF-8": (b'{"\xff":0}', 0, r"the header is not UTF-8 \(byte 2\)"),
    "cut": ("{" + GOOD, 8, "the header: not JSON"),
    "two values": ("{" + GOOD + "}{}", 8, "the header: not JSON"),
    "NUL behind": ("{" + GOOD + "}\0", 8, "the header: not JSON"),
    "key twice": ("{" + GOOD + "," + GOOD + "}", 8, "the header: the key 'a' stands there twice"),
    "key twice by escapes": ('{"a":0,"\\u0061":0}', 8, "the header: the key 'a' stands there twice"),
    "key twice inside": (entry(more=',"dtype":"F64"'), 8, "the header: the key 'dtype' stands there twice"),
    "metadata twice": ('{"__metadata__":{},"__metadata__":{}}', 0, "the key '__metadata__' stands there twice"),
    "NaN": ('{"a":NaN}', 0, "the header: NaN is not a number of JSON"),
    "minus infinity": ('{"a":-Infinity}', 0, "the header: -Infinity is not a number of JSON"),
    "bottomless": ('{"a":' * 100_000, 0, "the header: nested too deeply"),
    "bottomless list": ('{"a":' + "[" * 100_000, 0, "the header: nested too deeply"),
    "long integer": (entry(shape="[" + "9" * 100_000 + "]"), 8, "the header: an integer of 100000 digits, at most 19"),
    "lone surrogate": ('{"\\ud800":0}', 0, "the header: a lone surrogate is not Unicode text"),
    "metadata a list": ('{"__metadata__":[]}', 0, "the header: __metadata__ must map names to strings"),
    "metadata a number": ('{"__metadata__":{"a":1}}', 0, "the header: __metadata__ must map names to strings"),
    "tensor a list": ('{"a":[]}', 0, "tensor 'a': expected an object of .*'data_offsets', 'dtype', 'shape'.*, got "),
    "tensor without shape": ('{"a":{"dtype":"F32","data_offsets":[0,8]}}', 8, "tensor 'a': expected an object of"),
    "tensor with more": (entry(more=',"path":"/etc/passwd"'), 8, "tensor 'a': expected an object of"),
    "dtype F16": (entry('"F16"', offsets="[0,4]"), 4, r"tensor 'a': expected a dtype of .'F32', 'F64'., got 'F16'"),
    "dtype unknown": (entry('"O8"'), 8, "tensor 'a': expected a dtype of"),
    "dtype a list": (entry("[]"), 8, "tensor 'a': expected a dtype of"),
    "dtype a number": (entry("4"), 8, "tensor 'a': expected a dtype of"),
    "size negative": (entry(shape="[-2]"), 8, "tensor 'a': expected a shape of at most 8 64-bit sizes"),
    "sizes negative": (entry(shape="[-1,-2]"), 8, "tensor 'a': expected a shape of at most 8 64-bit sizes"),
    "size a float": (entry(shape="[2.0]"), 8, "tensor 'a': expected a shape of at most 8 64-bit sizes"),
    "size true": (entry(shape="[true]", offsets="[0,4]"), 4, "tensor 'a': expected a shape of at most 8 64-bit"),
    "size 2**63": (entry(shape=f"[{2**63}]"), 8, "tensor 'a': expected a shape of at most 8 64-bit sizes"),
    "shape a number": (entry(shape="2"), 8, "tensor 'a': expected a shape of at most 8 64-bit sizes"),
    "rank 9": (entry(shape="[1,1,1,1,1,1,1,1,2]"), 8, "tensor 'a': expected a shape of at most 8 64-bit sizes"),
    "product is 0 in 64 bits": (
        entry(shape=f"[{2**32},{2**32}]", offsets="[0,0]"),
        0,
        r"takes \d{20} bytes, .* span 0",
    ),
    "product is 8 in 64 bits": (entry(shape=f"[{2**62 + 1},2]"), 8, r"takes \d{20} bytes, .* span 8"),
    "shape too small": (entry(shape="[1]"), 8, r"shape \(1,\) of F32 takes 4 bytes, data_offsets \[0, 8\] span 8"),
    "shape of another dtype": (entry('"F64"'), 8, r"shape \(2,\) of F64 takes 16 bytes, .* span 8"),
    "offsets negative": (entry(offsets="[-8,0]"), 8, "tensor 'a': expected two 64-bit sizes as data_offsets"),
    "offsets reversed": (entry(offsets="[8,0]"), 8, "takes 8 bytes, .* span -8"),
    "three offsets": (entry(offsets="[0,4,8]"), 8, "tensor 'a': expected two 64-bit sizes as data_offsets"),
    "offsets a string": (entry(offsets='"08"'), 8, "tensor 'a': expected two 64-bit sizes as data_offsets"),
    "starts late": (entry(offsets="[8,16]"), 16, "tensor 'a' begins at byte 8 instead of 0: a gap"),
    "gap": (two([0, 8], [12, 20]), 20, "tensor 'b' begins at byte 12 instead of 8: a gap"),
    "overlap": (two([0, 8], [4, 12]), 12, "tensor 'b' begins at byte 4 instead of 8: an overlap"),
    "the same bytes twice": (two([0, 8], [0, 8]), 8, "tensor 'b' begins at byte 0 instead of 8: an overlap"),
    "beyond the end": (entry(offsets="[0,8]"), 4, "the tensors cover 8 bytes, the file holds 4: it is damaged"),
    "bytes behind": (entry(), 9, "the tensors cover 8 bytes, the file holds 9: it is damaged"),
    "nothing but bytes": ("{}", 8, "the tensors cover 0 bytes, the file holds 8: it is damaged"),
    "too many tensors": (
        json.dumps({str(i): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(65_537)}),
        0,
        "the header lists 65537 tensors, at most 65536 are allowed",
    ),
}


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.parametrize("attack", HEADERS)
def test_a_broken_header_is_refused_before_allocating(tmp_path, attack):
    text, data_bytes, message = HEADERS[attack]
    header = as_bytes(text)
    with pytest.raises(CheckpointError, match=message):
        parse_header(header, data_bytes)
    path = tmp_path / "model"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(data_bytes))
    for reader in (gg.load, read):
        with pytest.raises(CheckpointError) as raised:
            reader(path)
        assert str(raised.value).startswith(f"{path}: ")


def test_the_header_that_the_attacks_are_made_from_is_valid():
    assert parse_header(("{" + GOOD + "}").encode(), 8).tensors["a"].shape == (2,)
    assert parse_header(entry().encode() + b"  ", 8).tensors["a"].shape == (2,)
    in_any_order = parse_header(two([8, 16], [0, 8]).encode(), 16)
    assert list(in_any_order.tensors) == ["b", "a"]


@pytest.mark.parametrize(
    ("length", "size", "message"),
    [
        (2**64 - 1, 100, "the header claims 18446744073709551615 bytes, at most 8388608 are allowed"),
        (2**63, 100, "the header claims 9223372036854775808 bytes, at most 8388608 are allowed"),
        (8 * 1024 * 1024 + 1, 2**40, "the header claims 8388609 bytes, at most 8388608 are allowed"),
        (93, 100, "the header claims 93 bytes, the file holds 92: it is truncated"),
        (0, 100, "the header does not start with '{'"),
        (1, 100, "the header: not JSON"),
        (2, 2**40, "the tensors cover 0 bytes, the file holds 1099511627766: it is damaged"),
    ],
)
def test_the_length_of_the_header_is_believed_in_nothing(tmp_path, length, size, message):
    path = tmp_path / "model"
    path.write_bytes(struct.pack("<Q", length) + b"{}")
    os.truncate(path, size)
    tracemalloc.start()
    with pytest.raises(CheckpointError, match=message):
        gg.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000
