"""ganglion.data.mnist: what it reads, and what it says about files that are not right."""

import gzip
import re

import numpy as np
import pytest

from ganglion.data import mnist, read_idx

PARTS = {"train": 7, "t10k": 3}  # images in each synthetic part


def idx_bytes(array):
    dimensions = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + dimensions + array.tobytes()


def synthetic(part):
    generator = np.random.default_rng(PARTS[part])
    images = generator.integers(0, 256, (PARTS[part], 28, 28), np.uint8)
    images[0, 0, :2] = 0, 255
    return images, generator.integers(0, 10, PARTS[part], np.uint8)


def write_folder(folder, separator="-", compress=False):
    encode, ending = (gzip.compress, ".gz") if compress else (bytes, "")
    for part in PARTS:
        images, labels = synthetic(part)
        (folder / f"{part}-images{separator}idx3-ubyte{ending}").write_bytes(encode(idx_bytes(images)))
        (folder / f"{part}-labels{separator}idx1-ubyte{ending}").write_bytes(encode(idx_bytes(labels)))
    return folder


@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("compress", [False, True])
def test_every_naming_is_read(tmp_path, separator, compress):
    folder = write_folder(tmp_path, separator, compress)
    for part, (x, y) in zip(PARTS, mnist(folder), strict=True):
        images, labels = synthetic(part)
        assert (x.dtype, y.dtype) == (np.float32, np.int64)
        assert x.flags.c_contiguous
        assert x.flags.writeable
        # float32 division is correctly rounded, hence equal to the float64 quotient rounded once
        np.testing.assert_array_equal(x, (images.reshape(-1, 784) / 255.0).astype(np.float32))
        np.testing.assert_array_equal(y, labels)
        assert (x.min(), x.max()) == (0.0, 1.0)


def test_raw_gives_the_bytes(tmp_path):
    for part, (x, y) in zip(PARTS, mnist(str(write_folder(tmp_path)), raw=True), strict=True):
        images, labels = synthetic(part)
        assert (x.dtype, y.dtype) == (np.uint8, np.int64)
        np.testing.assert_array_equal(x, images)
        np.testing.assert_array_equal(y, labels)


@pytest.mark.parametrize("shape", [(5,), (2, 3), (0, 28, 28), (2, 1, 2, 1)])
def test_read_idx_reads_any_rank(tmp_path, shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    path = tmp_path / "array"
    path.write_bytes(idx_bytes(array))
    np.testing.assert_array_equal(read_idx(path), array)


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def edit(name, change):
    def apply(folder):
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return apply


def replace(name, array):
    return edit(name, lambda _: idx_bytes(array))


def swap(folder):
    images, labels = (folder / IMAGES).read_bytes(), (folder / LABELS).read_bytes()
    (folder / IMAGES).write_bytes(labels)
    (folder / LABELS).write_bytes(images)


def pack(change):
    """Compress the images, then change the compressed file."""

    def apply(folder):
        path = folder / IMAGES
        packed = gzip.compress(path.read_bytes())
        path.unlink()
        path.with_name(IMAGES + ".gz").write_bytes(change(packed))

    return apply


GIANT = idx_bytes(np.zeros((7, 28, 28), np.uint8))[:4] + b"\xff" * 12
MAGIC = r"expected the magic number 2051 \(uint8, rank 3\), got "
DAMAGE = {
    "swapped": (swap, rf"{IMAGES}: {MAGIC}2049; it is another kind of file"),
    "not IDX": (edit(IMAGES, lambda raw: b"\x89PNG" + raw), MAGIC + "2303741511"),
    "type float32": (edit(IMAGES, lambda raw: raw[:2] + b"\x0d" + raw[3:]), MAGIC + "3331"),
    "rank 0": (edit(IMAGES, lambda raw: raw[:3] + b"\0" + raw[4:]), MAGIC + "2048"),
    "empty": (edit(IMAGES, lambda _: b""), "expected 4 bytes of magic number, the file ends after 0"),
    "cut in the sizes": (edit(IMAGES, lambda raw: raw[:9]), "expected 12 bytes of dimensions, the file ends after 5"),
    "cut a little": (edit(IMAGES, lambda raw: raw[:-1]), "expected 5488 bytes of elements, the file ends after 5487"),
    "cut by much": (
        edit(IMAGES, lambda raw: raw[:99]),
        r"announces 5488 bytes, shape \(7, 28, 28\), more than the .* 99",
    ),
    "goes on": (edit(IMAGES, lambda raw: raw + b"\0"), "expected 5488 bytes of elements, .*, the file goes on"),
    "giant": (edit(IMAGES, lambda _: GIANT), "announces 79228162458924105385300197375 bytes"),
    "not 28 x 28": (replace(IMAGES, np.zeros((7, 14, 56), np.uint8)), "expected images of 28 x 28, got 14 x 56"),
    "no images": (replace(IMAGES, np.zeros((0, 28, 28), np.uint8)), "expected images, got a file without any"),
    "too few labels": (replace(LABELS, np.zeros(6, np.uint8)), f"expected 7 labels, one .* of {IMAGES}, got 6"),
    "label 10": (edit(LABELS, lambda raw: raw[:-2] + b"\x0a\xff"), f"{LABELS}: expected labels 0 to 9, got 10 at 5"),
    "gzip cut": (
        pack(lambda packed: packed[:-20]),
        rf"{IMAGES}.gz: expected a whole gzip file \(Compressed file ended",
    ),
    "gzip checksum": (pack(lambda packed: packed[:-8] + bytes(8)), r"whole gzip file \(CRC check failed"),
    "gzip damaged": (pack(lambda packed: packed[:100] + bytes(20) + packed[120:]), "expected a whole gzip file"),
    "not gzip": (pack(gzip.decompress), r"expected a whole gzip file \(Not a gzipped file"),
    "gzip of a giant": (pack(lambda _: gzip.compress(GIANT)), "announces 79228162458924105385300197375 bytes"),
    "gzip goes on": (pack(lambda packed: packed + gzip.compress(b"more")), "the file goes on"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_named(tmp_path, case):
    damage, message = DAMAGE[case]
    damage(write_folder(tmp_path))
    with pytest.raises(ValueError, match=message) as raised:
        mnist(tmp_path)
    assert str(tmp_path) in str(raised.value)


def test_every_truncation_is_refused(tmp_path):
    whole = idx_bytes(np.arange(12, dtype=np.uint8).reshape(3, 4))
    path = tmp_path / "array"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"the file ends after|more than the at most \d+ that the file can hold"):
            read_idx(path)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: expected the folder of MNIST's four files"):
        mnist(tmp_path / "nowhere")
    (write_folder(tmp_path) / "t10k-labels-idx1-ubyte").unlink()
    names = "t10k-labels-idx1-ubyte, t10k-labels-idx1-ubyte.gz, t10k-labels.idx1-ubyte, t10k-labels.idx1-ubyte.gz"
    with pytest.raises(FileNotFoundError, match=f"found none of {re.escape(names)}; put MNIST's four files there"):
        mnist(tmp_path)


def test_the_real_files(mnist_folder):
    (x, y), (x_test, y_test) = mnist(mnist_folder)
    assert (x.shape, x_test.shape) == ((60000, 784), (10000, 784))
    assert np.bincount(y).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    # the mean grey value that every tutorial subtracts
    assert round(float(x.mean(dtype=np.float64)), 4) == 0.1307
