"""MNIST and its relatives from the IDX files they are published in.

IDX is four bytes of magic number (two zeros, the type 0x08 for uint8, the rank), the dimensions as big-endian 32-bit
integers, then the elements in row-major order. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database".
"""

from __future__ import annotations

import math
import os
from io import BufferedIOBase
from pathlib import Path
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["mnist", "read_idx"]

UINT8 = 0x08
LARGEST_DEFLATE_RATIO = 1032  # bytes out of a byte in; zlib.net, "Maximum Compression Factor"
CLASSES = 10

Images = NDArray[np.uint8]  # (n, 28, 28)
Labels = NDArray[np.int64]  # (n,)
Scaled = tuple[NDArray[np.float32], Labels]  # (n, 784), (n,)
Raw = tuple[Images, Labels]


def _read_exactly(file: BufferedIOBase, path: Path, count: int, what: str) -> NDArray[np.uint8]:
    array = np.empty(count, np.uint8)
    filled = 0
    while got := file.readinto(array.data[filled:]):
        filled += got
    if filled < count:
        raise ValueError(
            f"{path}: expected {count} bytes of {what}, the file ends after {filled}; it is truncated, fetch it again"
        )
    return array


def _read(file: BufferedIOBase, path: Path, rank: int | None, most_bytes: int) -> NDArray[np.uint8]:
    magic = _read_exactly(file, path, 4, "magic number")
    dimensions = int(magic[3])
    if magic[0] != 0 or magic[1] != 0 or magic[2] != UINT8 or dimensions != (rank or dimensions) or dimensions == 0:
        given = int.from_bytes(magic.tobytes(), "big")
        expected = f"{UINT8 << 8 | rank} (uint8, rank {rank})" if rank else f"{UINT8 << 8} plus the rank (uint8)"
        raise ValueError(
            f"{path}: expected the magic number {expected}, got {given}; it is another kind of file under this name"
        )
    shape = tuple(int(size) for size in _read_exactly(file, path, 4 * dimensions, "dimensions").view(">u4"))
    count = math.prod(shape)
    # Before anything is allocated: a damaged size must not ask for all of the machine's memory.
    if count > most_bytes:
        raise ValueError(
            f"{path}: its header announces {count} bytes, shape {shape}, more than the at most {most_bytes} that the"
            " file can hold; it is truncated or damaged, fetch it again"
        )
    data = _read_exactly(file, path, count, "elements")
    if file.read(1):
        raise ValueError(f"{path}: expected {count} bytes of elements, shape {shape}, the file goes on; it is damaged")
    return data.reshape(shape)


def read_idx(path: str | os.PathLike[str], *, rank: int | None = None) -> NDArray[np.uint8]:
    """Read an IDX file of uint8, compressed with gzip where its name ends in ``.gz``.

    Parameters
    ----------
    path : path-like
        The file.
    rank : int, optional
        The number of dimensions that it must have; any by default.

    Returns
    -------
    ndarray of uint8
        In the file's shape.

    Raises
    ------
    ValueError
        The file is not whole, valid IDX of uint8 with that rank; the message says what was expected and what was found.
    FileNotFoundError, PermissionError
        It cannot be read.

    Examples
    --------
    >>> _ = Path("labels").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    >>> read_idx("labels")
    array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    size = path.stat().st_size
    if path.suffix != ".gz":
        with path.open("rb") as plain:
            return _read(plain, path, rank, size)
    import gzip  # as a part of the package's own import it would take time from those who read no such file
    import zlib

    try:
        with gzip.open(path, "rb") as unpacked:
            return _read(unpacked, path, rank, size * LARGEST_DEFLATE_RATIO)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: expected a whole gzip file ({error}); it is damaged, fetch it again") from None


def _find(folder: Path, part: str, kind: str) -> Path:
    names = [f"{part}-{kind.replace('-idx', f'{mark}idx')}-ubyte{end}" for mark in "-." for end in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{folder}: found none of {', '.join(names)}; put MNIST's four files there")


def _part(folder: Path, part: str) -> tuple[Images, NDArray[np.uint8]]:
    images_path, labels_path = _find(folder, part, "images-idx3"), _find(folder, part, "labels-idx1")
    images, labels = read_idx(images_path, rank=3), read_idx(labels_path, rank=1)
    if images.shape[1:] != (28, 28):
        raise ValueError(f"{images_path}: expected images of 28 x 28, got {images.shape[1]} x {images.shape[2]}")
    if len(images) == 0:
        raise ValueError(f"{images_path}: expected images, got a file without any")
    if len(labels) != len(images):
        raise ValueError(
            f"{labels_path}: expected {len(images)} labels, one for each image of {images_path.name}, got {len(labels)}"
        )
    wrong = np.flatnonzero(labels >= CLASSES)
    if wrong.size:
        raise ValueError(f"{labels_path}: expected labels 0 to {CLASSES - 1}, got {labels[wrong[0]]} at {wrong[0]}")
    return images, labels


@overload
def mnist(path: str | os.PathLike[str], *, raw: Literal[False] = False) -> tuple[Scaled, Scaled]: ...
@overload
def mnist(path: str | os.PathLike[str], *, raw: Literal[True]) -> tuple[Raw, Raw]: ...
def mnist(path: str | os.PathLike[str], *, raw: bool = False) -> tuple[Scaled | Raw, Scaled | Raw]:
    """Read MNIST, or a data set published in the same four files (Fashion-MNIST, KMNIST), from a folder.

    Parameters
    ----------
    path : path-like
        Folder with ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
        ``t10k-labels-idx1-ubyte``, each plain or with ``.gz``; ``train-images.idx3-ubyte`` and so on will do too.
    raw : bool
        True gives the images as they are in the file.

    Returns
    -------
    (x, y), (x_test, y_test)
        `x` float32 of shape (n, 784), the grey values divided by 255 and hence in [0, 1]; with `raw` uint8 of shape
        (n, 28, 28). `y` int64 of shape (n,), 0 to 9.

    Raises
    ------
    FileNotFoundError
        The folder or one of the files is missing.
    ValueError
        A file is damaged or does not fit the others; the message names it.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: expected the folder of MNIST's four files, there is no such folder")

    def part(name: str) -> Scaled | Raw:
        images, labels = _part(folder, name)
        x = images if raw else np.divide(images.reshape(len(images), -1), np.float32(255), dtype=np.float32)
        return x, labels.astype(np.int64)

    return part("train"), part("t10k")
