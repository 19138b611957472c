"""Model files: safetensors with the architecture in the metadata, so that a file needs nothing else and runs no code.

Metadata, all strings: ``ganglion``, the version of this layout; ``numerics``, the version of the arithmetic that the
weights come from; ``architecture``, what `Sequential.to_config` gives, as JSON; ``sha256``, a JSON object with the hash
of each tensor's bytes; ``metadata_sha256``, the hash of the other four. So a hash covers all that matters, and a copy
made by any program that keeps tensors and metadata is as good as the file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ganglion.architecture import Architecture
from ganglion.atomic_file import replace_file
from ganglion.errors import CheckpointError, CheckpointVersionError
from ganglion.safetensors import Header, encode, opened, parse_json, read_header, read_tensor

if TYPE_CHECKING:
    from ganglion.sequential import Sequential

__all__ = ["load", "save"]

FORMAT_VERSION = 1
NUMERICS_VERSION = 1
VERSION_KEY, NUMERICS_KEY = "ganglion", "numerics"
ARCHITECTURE_KEY, TENSORS_KEY, METADATA_KEY = "architecture", "sha256", "metadata_sha256"
KEYS = (VERSION_KEY, NUMERICS_KEY, ARCHITECTURE_KEY, TENSORS_KEY, METADATA_KEY)

Tensors = dict[str, NDArray[Any]]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _sha256(array: NDArray[Any]) -> str:
    return hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()


def _metadata_sha256(metadata: Mapping[str, str]) -> str:
    rest = {key: value for key, value in metadata.items() if key != METADATA_KEY}
    return hashlib.sha256(_json(rest).encode("utf-8")).hexdigest()


def _require_finite(name: str, array: NDArray[Any]) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        index = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise CheckpointError(f"tensor {name!r}: expected finite numbers, got {array[index]} at {index}")


def save(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write a model's architecture and weights to a file, whole or not at all.

    Parameters
    ----------
    model : Sequential
        Its sizes must be known.
    path : path-like
        By custom it ends in ``.safetensors``. What is there is replaced only after the new file is written, synced and
        read back.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError, OSError
        The file cannot be written; an old one is intact and nothing half-written is left.
    NotFittedError
        The model's sizes are not known yet.
    """
    tensors = {name: np.ascontiguousarray(array) for name, array in model.arrays().items()}
    for name, array in tensors.items():
        _require_finite(name, array)
    metadata = {
        VERSION_KEY: str(FORMAT_VERSION),
        NUMERICS_KEY: str(NUMERICS_VERSION),
        ARCHITECTURE_KEY: _json(model.to_config()),
        TENSORS_KEY: _json({name: _sha256(array) for name, array in tensors.items()}),
    }
    metadata[METADATA_KEY] = _metadata_sha256(metadata)
    replace_file(path, encode(tensors, metadata), _verify)


def load(path: str | os.PathLike[str]) -> Sequential:
    """Read a model that `save` wrote. The file is checked whole before anything of it is used, and none of it is run.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    Sequential
        The same layers, seed, dtype and weights, bit for bit.

    Raises
    ------
    CheckpointError
        The file is damaged, or not one of ours; the message says what it looks like and what to do.
    CheckpointVersionError
        It was written by a newer ganglion.
    FileNotFoundError, IsADirectoryError, PermissionError, OSError
        It cannot be read.
    """
    from ganglion.sequential import Sequential  # which offers save as a method

    config, tensors = _read(path)
    model = Sequential.from_config(config)
    try:
        model.load_state_dict(tensors)
    except ValueError as error:
        raise CheckpointError(f"{error}; the file is damaged") from None
    return model


def _verify(written: Path) -> None:
    try:
        _read(written)
    except CheckpointError as error:
        raise OSError(errno.EIO, f"what was read back is not what was written ({error})") from None


def _read(path: str | os.PathLike[str]) -> tuple[Any, Tensors]:
    """Read and check all of a file: the architecture and the tensors that fit it."""
    with opened(path) as file:
        header = read_header(file)
        config, hashes = _read_metadata(header)
        tensors = {}
        for name, entry in header.tensors.items():
            array = read_tensor(file, entry)
            if _sha256(array) != hashes[name]:
                raise CheckpointError(f"tensor {name!r} does not match its SHA-256: the file is damaged")
            _require_finite(name, array)
            tensors[name] = array
    return config, tensors


def _read_metadata(header: Header) -> tuple[Any, dict[str, str]]:
    """Check everything that can be checked before the tensors are read."""
    metadata = header.metadata
    if VERSION_KEY not in metadata:
        raise CheckpointError(
            "a safetensors file without ganglion's metadata, hence of another program; build the network and fill it:"
            " tensors, metadata = ganglion.safetensors.read(path); model.load_state_dict(tensors)"
        )
    _check_version(metadata[VERSION_KEY])
    for key in KEYS:
        if key not in metadata:
            raise CheckpointError(f"the metadata lack {key!r}: the file is damaged")
    if metadata[METADATA_KEY] != _metadata_sha256(metadata):
        raise CheckpointError("the metadata do not match their SHA-256: the file is damaged")
    hashes = parse_json(metadata[TENSORS_KEY], TENSORS_KEY)
    if not isinstance(hashes, dict) or hashes.keys() != header.tensors.keys():
        raise CheckpointError(f"the metadata's {TENSORS_KEY!r} does not name the tensors: the file is damaged")
    config = parse_json(metadata[ARCHITECTURE_KEY], ARCHITECTURE_KEY)
    _check_fit(config, header)
    return config, hashes


def _check_version(text: str) -> None:
    # isdecimal would let other scripts' digits pass
    if not text.isascii() or not text.isdecimal() or text != str(int(text[:9])) or text == "0":
        raise CheckpointError(f"expected a format version 1, 2, …, got {text[:80]!r}: the file is damaged")
    if int(text) > FORMAT_VERSION:
        raise CheckpointVersionError(
            f"written in format {text}, this ganglion reads up to {FORMAT_VERSION}; upgrade it:"
            " python -m pip install --upgrade ganglion"
        )


def _check_fit(config: object, header: Header) -> None:
    """Check that the tensors are those of the architecture; their sizes are then bounded by the file's."""
    layers = config.get("layers") if isinstance(config, dict) else None
    if isinstance(layers, list) and not all(isinstance(layer, dict) and layer.get("name") for layer in layers):
        # Names for a hundred thousand layers would take hours to make up.
        raise CheckpointError("the architecture has a layer without a name: the file is damaged")
    try:
        architecture, features = Architecture.from_config(config)
        if features is None:
            raise ValueError("the architecture lacks its input_shape")
        shapes = architecture.parameter_shapes(features)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{error}; the file is damaged, or needs a newer ganglion") from None
    dtype = np.dtype(architecture.dtype)
    for name in sorted(shapes.keys() | header.tensors.keys()):
        expected = f"{architecture.dtype} of shape {shapes[name]}" if name in shapes else "no such tensor"
        entry = header.tensors.get(name)
        given = f"{entry.dtype} of shape {entry.shape}" if entry else "none"
        if entry is None or name not in shapes or (entry.dtype, entry.shape) != (dtype, shapes[name]):
            raise CheckpointError(f"tensor {name!r}: the architecture has {expected}, the file {given}")
