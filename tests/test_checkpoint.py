"""Model files: what is written, what comes back, and what a failing disk leaves."""

import errno
import hashlib
import io
import json
import os
import re
import struct

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import ganglion as gg
from ganglion import checkpoint
from ganglion.atomic_file import replace_file
from ganglion.safetensors import encode, read

SAME_MODEL_IN_TWO_TYPES = ["float32", "float64"]


def small_model(dtype="float32", seed=1):
    layers = [
        gg.Dense(3, activation="tanh", input_shape=(2,), name="hidden"),
        gg.LeakyReLU(0.2),
        gg.Dense(2, use_bias=False),
    ]
    return gg.Sequential(layers, seed=seed, dtype=dtype)


def assert_same_model(loaded, model):
    assert loaded.to_config() == model.to_config()
    assert loaded.state_dict().keys() == model.state_dict().keys()
    for name, array in model.state_dict().items():
        assert loaded.state_dict()[name].dtype == array.dtype
        assert loaded.state_dict()[name].tobytes() == array.tobytes()


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    small_model().save(path)
    return path


# What is written and what comes back


@pytest.mark.parametrize("dtype", SAME_MODEL_IN_TWO_TYPES)
def test_a_model_comes_back_bit_for_bit(tmp_path, dtype):
    model = small_model(dtype)
    x = np.random.default_rng(0).standard_normal((5, 2)).astype(dtype)
    gg.Trainer(model, "cross_entropy").fit(x, [0, 1, 1, 0, 1], epochs=3, verbose=0)
    model.save(tmp_path / "model.safetensors")
    loaded = gg.load(str(tmp_path / "model.safetensors"))
    assert_same_model(loaded, model)
    assert loaded.predict(x).tobytes() == model.predict(x).tobytes()


def test_a_model_built_late_comes_back(tmp_path):
    model = gg.Sequential(gg.Dense(4), gg.Softmax())
    model.build((3,))
    model.save(tmp_path / "model")
    assert_same_model(gg.load(tmp_path / "model"), model)


def test_signed_zeros_and_denormals_come_back(tmp_path):
    model = gg.Sequential(gg.Dense(2, input_shape=(2,)))
    model.set_weights([[[-0.0, 1e-45], [-1e-42, 3.4028235e38]], [0.0, -0.0]])
    model.save(tmp_path / "model")
    assert_same_model(gg.load(tmp_path / "model"), model)


def test_the_bytes_of_a_tiny_file():
    tensors = {"w": np.array([[1.0, -2.0]], np.float32), "b": np.array([0.5])}
    header = (
        b'{"__metadata__":{"made by":"hand"},'
        b'"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}'
    )
    header += b" " * (-len(header) % 8)
    data = b"\x00\x00\x80\x3f\x00\x00\x00\xc0" + b"\x00\x00\x00\x00\x00\x00\xe0\x3f"
    assert b"".join(encode(tensors, {"made by": "hand"})) == struct.pack("<Q", len(header)) + header + data


def test_the_layout_of_a_model_file(tmp_path):
    model = gg.Sequential(gg.Dense(1, input_shape=(1,)), seed=7)
    model.set_weights([[[2.0]], [-1.0]])
    model.save(tmp_path / "model")
    raw = (tmp_path / "model").read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    assert length % 8 == 0
    header = json.loads(raw[8 : 8 + length])
    metadata = header.pop("__metadata__")
    kernel, bias = raw[8 + length :][:4], raw[8 + length :][4:]
    assert (kernel, bias) == (b"\x00\x00\x00\x40", b"\x00\x00\x80\xbf")
    assert header == {
        "dense.kernel": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]},
        "dense.bias": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
    }
    assert list(metadata) == ["ganglion", "numerics", "architecture", "sha256", "metadata_sha256"]
    assert (metadata["ganglion"], metadata["numerics"]) == ("1", "1")
    assert json.loads(metadata["architecture"]) == model.to_config()
    hashes = {"dense.bias": hashlib.sha256(bias).hexdigest(), "dense.kernel": hashlib.sha256(kernel).hexdigest()}
    assert json.loads(metadata["sha256"]) == hashes
    rest = {key: metadata[key] for key in sorted(metadata) if key != "metadata_sha256"}
    written = json.dumps(rest, separators=(",", ":")).encode()
    assert metadata["metadata_sha256"] == hashlib.sha256(written).hexdigest()


def test_the_same_model_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        small_model().save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


# The safetensors package as the judge

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


def test_the_package_reads_what_we_write(tmp_path, saved):
    path = tmp_path / "arrays"
    path.write_bytes(b"".join(encode(ARRAYS, {"who": "wir"})))
    assert_same_arrays(safetensors.numpy.load_file(path), ARRAYS)
    with safetensors.safe_open(path, framework="numpy") as file:
        assert file.metadata() == {"who": "wir"}
    assert_same_arrays(safetensors.numpy.load_file(saved), small_model().state_dict())


def test_we_read_what_the_package_writes(tmp_path):
    path = tmp_path / "arrays"
    safetensors.numpy.save_file(ARRAYS, path, metadata={"who": "wir"})
    tensors, metadata = read(path)
    assert_same_arrays(tensors, ARRAYS)
    assert metadata == {"who": "wir"}


def test_a_copy_made_by_the_package_is_the_model(tmp_path, saved):
    with safetensors.safe_open(saved, framework="numpy") as file:
        metadata = file.metadata()
    copy = tmp_path / "copy"
    safetensors.numpy.save_file(safetensors.numpy.load_file(saved), copy, metadata=metadata)
    assert_same_model(gg.load(copy), small_model())


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
@pytest.mark.parametrize("dtype", SAME_MODEL_IN_TWO_TYPES)
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


# Paths


def test_a_model_without_sizes_is_not_saved(tmp_path):
    with pytest.raises(gg.errors.NotFittedError, match="does not know its input's size"):
        gg.Sequential(gg.Dense(1)).save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_the_path_must_be_that_of_a_file(tmp_path):
    model = small_model()
    with pytest.raises(IsADirectoryError, match="expected the path of a file to write, got a directory"):
        model.save(tmp_path)
    with pytest.raises(FileExistsError, match="expected the path of a file to write, got something else"):
        model.save("/dev/null")
    with pytest.raises(FileNotFoundError, match=r"directory to write to does not exist; make it first: '.*/missing'"):
        model.save(tmp_path / "missing" / "model")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError, match="missing"):
        gg.load(tmp_path / "missing")
    with pytest.raises(IsADirectoryError):
        gg.load(tmp_path)


def test_a_link_stays_and_its_target_is_replaced(tmp_path, saved):
    link = tmp_path / "latest"
    link.symlink_to(saved.name)
    other = small_model(seed=9)
    other.save(link)
    assert link.is_symlink()
    assert_same_model(gg.load(saved), other)


def test_permissions_are_handed_on(saved):
    saved.chmod(0o640)
    small_model().save(saved)
    assert saved.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        small_model().save(tmp_path / "model")
    finally:
        os.umask(before)
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o640


def test_a_long_name_is_no_trouble(tmp_path):
    name = "é" * 127
    small_model().save(tmp_path / name)
    assert_same_model(gg.load(tmp_path / name), small_model())


# Disks that fail

CALLS = ["open", "fchmod", "write", "fsync", "close", "replace"]


class Failing:
    """The functions of `os` that a save uses; the call of the given number does what `fail` says instead."""

    def __init__(self, monkeypatch, number, fail):
        self.made = []
        for name in CALLS:
            monkeypatch.setattr(os, name, self.wrapped(name, getattr(os, name), number, fail))

    def wrapped(self, name, function, number, fail):
        def call(*arguments, **keywords):
            self.made.append(name)
            if len(self.made) == number:
                if name == "close":
                    function(*arguments)  # Linux closes even where it reports an error
                fail()
            return function(*arguments, **keywords)

        return call


def calls_of_a_save(path):
    with pytest.MonkeyPatch.context() as monkeypatch:
        calls = Failing(monkeypatch, 0, None)
        small_model().save(path)
    return calls.made


def test_the_order_of_a_save(saved):
    made = calls_of_a_save(saved)
    writes = made.count("write")
    assert writes == 2 + len(small_model().parameters())
    before = ["open", "open", "fchmod", *["write"] * writes, "fsync", "close"]
    verify = ["open"]
    assert made == [*before, *verify, "replace", "fsync", "close"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
def test_a_failing_call_leaves_the_old_file_and_no_other(saved, code):
    old = saved.read_bytes()
    made = calls_of_a_save(saved)
    saved.write_bytes(old)
    renamed = made.index("replace") + 1
    for number in range(1, len(made) + 1):
        new = small_model(seed=number + 1)

        def fail():
            raise OSError(code, os.strerror(code))

        with pytest.MonkeyPatch.context() as monkeypatch:
            Failing(monkeypatch, number, fail)
            with pytest.raises(OSError, match=os.strerror(code)) as raised:
                new.save(saved)
        assert raised.value.errno == code
        assert type(raised.value) is type(OSError(code, ""))
        assert list(saved.parent.iterdir()) == [saved]
        if number <= renamed:
            assert saved.read_bytes() == old
        else:
            assert_same_model(gg.load(saved), new)
            saved.write_bytes(old)


def test_a_failing_call_names_the_file(saved, monkeypatch):
    def fail():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    Failing(monkeypatch, CALLS.index("write") + 2, fail)
    with pytest.raises(OSError, match=rf"No space left on device: '{re.escape(str(saved))}'"):
        small_model().save(saved)


def test_ctrl_c_leaves_the_old_file_and_no_other(saved):
    old = saved.read_bytes()
    made = calls_of_a_save(saved)
    saved.write_bytes(old)

    def interrupt():
        raise KeyboardInterrupt

    for number in range(2, made.index("replace") + 1):
        with pytest.MonkeyPatch.context() as monkeypatch:
            Failing(monkeypatch, number + 1, interrupt)
            with pytest.raises(KeyboardInterrupt):
                small_model(seed=9).save(saved)
        assert list(saved.parent.iterdir()) == [saved]
        assert saved.read_bytes() == old


def test_a_kill_at_any_call_leaves_the_old_file_or_the_new(saved):
    old, new = saved.read_bytes(), small_model(seed=9)
    made = calls_of_a_save(saved)
    saved.write_bytes(old)
    new.state_dict()
    for number in range(1, len(made) + 1):
        child = os.fork()
        if child == 0:
            with pytest.MonkeyPatch.context() as monkeypatch:
                Failing(monkeypatch, number, lambda: os._exit(9))
                new.save(saved)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        if number <= made.index("replace") + 1:
            assert saved.read_bytes() == old
        else:
            assert_same_model(gg.load(saved), new)


def test_short_writes_are_continued(saved, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    other = small_model(seed=9)
    other.save(saved)
    assert_same_model(gg.load(saved), other)


def test_what_the_disk_garbles_is_noticed_before_the_old_file_goes(saved, monkeypatch):
    old = saved.read_bytes()
    write = os.write

    def garble(descriptor, data):
        garbled = bytearray(data)
        garbled[-1] ^= 1
        return write(descriptor, garbled)

    monkeypatch.setattr(os, "write", garble)
    with pytest.raises(OSError, match=rf"Errno 5. what was read back is not what was written .*: '{saved}'"):
        small_model(seed=9).save(saved)
    assert saved.read_bytes() == old
    assert list(saved.parent.iterdir()) == [saved]


def test_a_disk_that_cannot_be_read_is_noticed(saved, monkeypatch):
    class Broken(io.FileIO):
        def readinto(self, buffer):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    old = saved.read_bytes()
    monkeypatch.setattr(gg.safetensors, "open", lambda path, *_, **__: Broken(path), raising=False)
    with pytest.raises(OSError, match="Input/output error"):
        small_model(seed=9).save(saved)
    with pytest.raises(OSError, match="Input/output error"):
        gg.load(saved)
    assert saved.read_bytes() == old
    assert list(saved.parent.iterdir()) == [saved]


def test_pieces_that_cannot_be_made_leave_the_old_file(saved):
    def pieces():
        yield b"begun"
        raise RuntimeError("no more")

    old = saved.read_bytes()
    with pytest.raises(RuntimeError, match="no more"):
        replace_file(saved, pieces(), verify=lambda path: None)
    assert saved.read_bytes() == old
    assert list(saved.parent.iterdir()) == [saved]


def test_weights_that_are_not_finite_are_not_saved(saved):
    class Spoiled:
        def to_config(self):
            return small_model().to_config()

        def state_dict(self):
            return {"hidden.bias": np.array([0, np.nan, np.inf], np.float32)}

    old = saved.read_bytes()
    with pytest.raises(
        gg.errors.CheckpointError, match=r"tensor 'hidden.bias': expected finite numbers, got nan at \(1,\)"
    ):
        checkpoint.save(Spoiled(), saved)
    assert saved.read_bytes() == old
