"""Files that nobody vouches for: each is refused with a reason, before anything is allocated and with nothing run."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

import ganglion as gg
from ganglion.errors import CheckpointError, CheckpointVersionError
from ganglion.safetensors import parse_header, read

# Files of other programs


class Evil:
    """A pickle of this makes a folder when it is loaded."""

    def __reduce__(self):
        return os.mkdir, ("executed",)


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(Evil()))
    return buffer.getvalue()


def written_by(write, array):
    buffer = io.BytesIO()
    write(buffer, array)
    return buffer.getvalue()


FOREIGN = {
    "empty": (b"", "the file is empty"),
    "pickle": (
        pickle.dumps(Evil()),
        "looks like a pickle, which can run code and is therefore never opened: load it with",
    ),
    "old pickle": (pickle.dumps(Evil(), protocol=2), "looks like a pickle, which can run code"),
    "zip": (zipped(), "looks like a zip archive, as PyTorch, Keras and numpy.savez write: load it with the program"),
    "npz": (written_by(np.savez, np.zeros(3)), "looks like a zip archive"),
    "npy": (written_by(np.save, np.zeros(3)), "looks like a NumPy .npy array: load it with numpy.load"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "looks like an HDF5 file, as older versions of Keras write"),
    "gzip": (gzip.compress(b"{}"), "looks like a gzip archive: decompress it first"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "looks like a pointer of Git LFS: .* git lfs pull"),
    "HTML": (
        b"<!DOCTYPE html><title>404</title>",
        "looks like an HTML or XML page: look at how the file was downloaded",
    ),
    "JSON": (b'{"class": "Sequential"}', "looks like plain JSON: give the .safetensors file"),
    "text": (b"weights\n" * 3, "not a safetensors file, or a damaged one"),
    "seven bytes": (bytes(7), "not a safetensors file, or a damaged one"),
    "eight bytes": (bytes(8), "not a safetensors file, or a damaged one"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_files_are_named(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    content, message = FOREIGN[kind]
    path = tmp_path / "model"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{path}: .*{message}"):
        gg.load(path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(CheckpointError, match=f"{path}: not a regular file"):
            gg.load(path)


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
    "an archive behind": (entry(), 8 + len(zipped()), "the tensors cover 8 bytes, the file holds .*: it is damaged"),
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


# Model files: each attack changes one thing and seals the metadata anew, as an attacker would


class Parts:
    """A model file taken apart; `architecture` and `hashes` may be replaced by a text that is no JSON."""

    def __init__(self, raw):
        length = struct.unpack("<Q", raw[:8])[0]
        self.tensors = json.loads(raw[8 : 8 + length])
        self.metadata = self.tensors.pop("__metadata__")
        self.data = raw[8 + length :]
        self.architecture = json.loads(self.metadata["architecture"])
        self.hashes = json.loads(self.metadata["sha256"])

    @property
    def layer(self):
        return self.architecture["layers"][0]

    def put_numbers(self, name, numbers):
        begin, end = self.tensors[name]["data_offsets"]
        self.data = self.data[:begin] + numbers.tobytes() + self.data[end:]
        self.hashes[name] = hashlib.sha256(numbers.tobytes()).hexdigest()

    def join(self):
        for key, value in (("architecture", self.architecture), ("sha256", self.hashes)):
            if key in self.metadata:
                self.metadata[key] = value if isinstance(value, str) else json.dumps(value)
        if "metadata_sha256" in self.metadata:
            rest = {key: value for key, value in self.metadata.items() if key != "metadata_sha256"}
            text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            self.metadata["metadata_sha256"] = hashlib.sha256(text.encode()).hexdigest()
        header = json.dumps({"__metadata__": self.metadata, **self.tensors}).encode()
        return struct.pack("<Q", len(header)) + header + self.data


@pytest.fixture(scope="module")
def model():
    layers = [gg.Dense(3, activation="relu", input_shape=(2,), name="first"), gg.Dense(2, name="last")]
    return gg.Sequential(layers, seed=1)


@pytest.fixture(scope="module")
def good(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "model"
    model.save(path)
    return path.read_bytes()


def version(text):
    return lambda parts: parts.metadata.update(ganglion=text)


def without(key):
    return lambda parts: parts.metadata.pop(key)


def put(number):
    return lambda parts: parts.put_numbers("first.bias", np.array([0, number, 0], np.float32))


def architecture(**changes):
    return lambda parts: parts.architecture.update(changes)


def first_layer(**changes):
    return lambda parts: parts.layer.update(changes)


def transpose(parts):
    parts.tensors["first.kernel"]["shape"].reverse()


def use_other_dtype(parts):
    parts.tensors["first.kernel"].update(dtype="F64", shape=[1, 3])


def drop_last_tensor(parts):
    begin, _ = parts.tensors.pop("last.bias")["data_offsets"]
    del parts.hashes["last.bias"]
    parts.data = parts.data[:begin]


def add_tensor(parts):
    parts.tensors["more"] = {"dtype": "F32", "shape": [0], "data_offsets": [len(parts.data)] * 2}
    parts.hashes["more"] = hashlib.sha256(b"").hexdigest()


def rename_tensor(parts):
    for table in (parts.tensors, parts.hashes):
        table["../last.bias"] = table.pop("last.bias")


def swap_places(parts):
    one, two = parts.tensors["first.bias"], parts.tensors["last.bias"]
    for tensor in (one, two):
        tensor["shape"] = tensor["shape"][::-1]
    parts.data = parts.data[:-4] + b"\0\0\0\1"


VERSION = "expected a format version 1, 2, …, got "
DAMAGED = "; the file is damaged, or needs a newer ganglion"
MODELS = {
    "of another program": (lambda parts: parts.metadata.clear(), "without ganglion's metadata, .*load_state_dict"),
    "version 0": (version("0"), VERSION + "'0'"),
    "version 01": (version("01"), VERSION + "'01'"),
    "version -1": (version("-1"), VERSION + "'-1'"),
    "version 1.0": (version("1.0"), VERSION + "'1.0'"),
    "version empty": (version(""), VERSION + "''"),
    "version one": (version("one"), VERSION + "'one'"),
    "version in other digits": (version("\u0661"), VERSION + "'\u0661'"),
    "version very long": (version("1" * 100_000), VERSION),
    "no numerics": (without("numerics"), "the metadata lack 'numerics': the file is damaged"),
    "no architecture": (without("architecture"), "the metadata lack 'architecture': the file is damaged"),
    "no hashes": (without("sha256"), "the metadata lack 'sha256': the file is damaged"),
    "no hash of the metadata": (without("metadata_sha256"), "the metadata lack 'metadata_sha256': the file is damaged"),
    "hashes a list": (lambda parts: setattr(parts, "hashes", []), "'sha256' does not name the tensors"),
    "hashes no JSON": (lambda parts: setattr(parts, "hashes", "{"), "sha256: not JSON"),
    "a hash missing": (lambda parts: parts.hashes.popitem(), "'sha256' does not name the tensors"),
    "a hash too many": (lambda parts: parts.hashes.update(x=""), "'sha256' does not name the tensors"),
    "a hash a number": (lambda parts: parts.hashes.update({"last.bias": 0}), "'last.bias' does not match its SHA-256"),
    "numbers changed": (swap_places, "tensor 'last.bias' does not match its SHA-256: the file is damaged"),
    "NaN": (put(np.nan), r"tensor 'first.bias': expected finite numbers, got nan at \(1,\)"),
    "infinity": (put(-np.inf), r"tensor 'first.bias': expected finite numbers, got -inf at \(1,\)"),
    "transposed": (transpose, r"'first.kernel': the architecture has float32 of shape \(2, 3\), .* shape \(3, 2\)"),
    "other dtype": (
        use_other_dtype,
        r"'first.kernel': the architecture has float32 .*, the file float64 of shape \(1, 3\)",
    ),
    "a tensor missing": (drop_last_tensor, r"'last.bias': the architecture has float32 of shape \(2,\), the file none"),
    "a tensor too many": (add_tensor, r"'more': the architecture has no such tensor, the file float32 of shape \(0,\)"),
    "a tensor renamed": (rename_tensor, "'../last.bias': the architecture has no such tensor"),
    "dtype": (architecture(dtype="float64"), "'first.bias': the architecture has float64 of shape"),
    "no JSON": (lambda parts: setattr(parts, "architecture", "import os"), "architecture: not JSON"),
    "key twice": (
        lambda parts: setattr(parts, "architecture", '{"a":1,"a":1}'),
        "architecture: the key 'a' stands there",
    ),
    "bottomless": (lambda parts: setattr(parts, "architecture", "[" * 100_000), "architecture: nested too deeply"),
    "a list": (lambda parts: setattr(parts, "architecture", []), "must be an object of class 'Sequential'.*" + DAMAGED),
    "class unknown": (architecture(**{"class": "os.system"}), "must be an object of class 'Sequential'.*" + DAMAGED),
    "layers an object": (architecture(layers={}), "layers must be a list" + ".*" + DAMAGED),
    "no layers": (architecture(layers=[]), "a model needs at least one layer" + DAMAGED),
    "no sizes": (architecture(input_shape=None), "the architecture lacks its input_shape" + DAMAGED),
    "huge input": (architecture(input_shape=[2**62]), "than can be addressed|has input_shape"),
    "negative seed": (architecture(seed=-1), "seed must be at least 0; given -1" + DAMAGED),
    "half a dtype": (architecture(dtype="float16"), "dtype .*float16.*" + DAMAGED),
    "key unknown": (architecture(code="exit()"), "unknown key 'code'.*" + DAMAGED),
    "layer unknown": (first_layer(**{"class": "Lambda"}), "layer 0: unknown class 'Lambda'.*" + DAMAGED),
    "layer's class a list": (first_layer(**{"class": ["Dense"]}), "layer 0: unknown class .*" + DAMAGED),
    "layer's argument unknown": (
        first_layer(function="eval"),
        "layer 0: unknown argument of Dense 'function'.*" + DAMAGED,
    ),
    "activation unknown": (first_layer(activation="evil"), "layer 0: unknown activation 'evil'.*" + DAMAGED),
    "activation a class": (first_layer(activation={"class": "Popen"}), "unknown class 'Popen'.*" + DAMAGED),
    "huge layer": (first_layer(units=2**62), "would have more bytes than can be addressed" + DAMAGED),
    "large layer": (first_layer(units=2**20), r"the architecture has float32 of shape \(1048576,\), the file"),
    "units true": (first_layer(units=True), "layer 0: units must be an integer; given True.*" + DAMAGED),
    "units a float": (first_layer(units=3.0), "layer 0: units must be an integer; given 3.0.*" + DAMAGED),
    "name with a dot": (first_layer(name="a.b"), "layer 0: name must not be empty and hold no dot.*" + DAMAGED),
    "name twice": (first_layer(name="last"), "two layers have the name 'last'.*" + DAMAGED),
}


def refused(path, content, message):
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as raised:
        gg.load(path)
    assert str(raised.value).startswith(f"{path}: ")
    # The second time, when nothing is imported and no pattern compiled any more.
    tracemalloc.start()
    with pytest.raises(CheckpointError):
        gg.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * len(content) + 500_000
    return raised.value


@pytest.mark.parametrize("attack", MODELS)
def test_a_forged_model_is_refused(tmp_path, good, attack):
    change, message = MODELS[attack]
    parts = Parts(good)
    change(parts)
    error = refused(tmp_path / "model", parts.join(), message)
    assert type(error) is CheckpointError


def test_taking_apart_and_joining_is_no_attack(tmp_path, model, good):
    path = tmp_path / "model"
    path.write_bytes(Parts(good).join())
    assert_identical(gg.load(path), model)


@pytest.mark.parametrize("text", ["2", "10", "999999999"])
def test_a_newer_version_is_told_before_all_else(tmp_path, good, text):
    parts = Parts(good)
    parts.metadata = {"ganglion": text, "of the future": "?"}
    message = (
        f"written in format {text}, this ganglion reads up to 1; upgrade it: python -m pip install --upgrade ganglion"
    )
    error = refused(tmp_path / "model", parts.join(), message)
    assert type(error) is CheckpointVersionError


def test_metadata_that_were_not_sealed_are_refused(tmp_path, good):
    content = good.replace(b"relu", b"tanh")
    assert content != good
    refused(tmp_path / "model", content, "the metadata do not match their SHA-256: the file is damaged")


def test_the_remedy_for_files_of_other_programs_works(tmp_path, model):
    import safetensors.numpy

    path = tmp_path / "theirs"
    safetensors.numpy.save_file({name: np.ascontiguousarray(a) for name, a in model.state_dict().items()}, path)
    other = gg.Sequential.from_config(model.to_config())
    tensors, metadata = gg.safetensors.read(path)
    other.load_state_dict(tensors)
    assert metadata == {}
    assert_identical(other, model)


# Damage of every kind


def assert_identical(loaded, model):
    assert loaded.to_config() == model.to_config()
    assert [array.tobytes() for array in loaded.parameters()] == [array.tobytes() for array in model.parameters()]


def test_every_truncation_is_refused(tmp_path, good):
    assert len(good) <= 4096
    path = tmp_path / "model"
    path.write_bytes(good)
    for length in reversed(range(len(good))):
        os.truncate(path, length)
        with pytest.raises(CheckpointError):
            gg.load(path)


def test_every_flipped_bit_is_noticed(tmp_path, model, good):
    path = tmp_path / "model"
    path.write_bytes(good)
    descriptor = os.open(path, os.O_RDWR)
    loaded = []
    for position in range(8 * len(good)):
        byte, bit = divmod(position, 8)
        os.pwrite(descriptor, bytes([good[byte] ^ 1 << bit]), byte)
        with contextlib.suppress(CheckpointError):
            loaded.append(gg.load(path))
        os.pwrite(descriptor, good[byte : byte + 1], byte)
    os.close(descriptor)
    assert_identical(gg.load(path), model)
    assert loaded == []
