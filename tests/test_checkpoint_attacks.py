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
from model_files import assert_same_model

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
    "layer a number": (architecture(layers=[1]), "the architecture has a layer without a name"),
    "layers without names": (architecture(layers=[{"class": "ReLU"}] * 200_000), "a layer without a name"),
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
    assert_same_model(gg.load(path), model)


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
    assert_same_model(other, model)


# Damage of every kind


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
    assert_same_model(gg.load(path), model)
    assert loaded == []
