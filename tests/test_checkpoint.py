"""Model files: what is written, what comes back, and where it may be written."""

import hashlib
import json
import os
import struct

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import ganglion as gg
from ganglion import checkpoint
from model_files import assert_same_model, small_model


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    small_model().save(path)
    return path


@pytest.mark.parametrize("dtype", ["float32", "float64"])
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


def test_a_copy_made_by_the_package_is_the_model(tmp_path, saved):
    with safetensors.safe_open(saved, framework="numpy") as file:
        metadata = file.metadata()
    copy = tmp_path / "copy"
    safetensors.numpy.save_file(safetensors.numpy.load_file(saved), copy, metadata=metadata)
    assert_same_model(gg.load(copy), small_model())


def test_weights_that_are_not_finite_are_not_saved(saved):
    class Spoiled:
        def to_config(self):
            return small_model().to_config()

        def arrays(self):
            return {"hidden.bias": np.array([0, np.nan, np.inf], np.float32)}

    old = saved.read_bytes()
    with pytest.raises(
        gg.errors.CheckpointError, match=r"tensor 'hidden.bias': expected finite numbers, got nan at \(1,\)"
    ):
        checkpoint.save(Spoiled(), saved)
    assert saved.read_bytes() == old


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
