"""Replace a file whole or not at all, and durably.

After a crash, a full disk or a kill at any moment, the path holds either the complete old file or the complete new one.
The order of the steps follows Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014: without a sync before
it, a rename may survive a crash that the contents do not.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["replace_file"]


def _write_all(descriptor: int, piece: bytes | memoryview) -> None:
    view = memoryview(piece)
    while view.nbytes:
        view = view[os.write(descriptor, view) :]


def _permissions(path: Path) -> int | None:
    """Tell the permissions of the file to be replaced, None where there is none; refuse what is not a file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "expected the path of a file to write, got a directory", str(path))
    if not stat.S_ISREG(mode):
        raise FileExistsError(errno.EEXIST, "expected the path of a file to write, got something else", str(path))
    return stat.S_IMODE(mode)


def replace_file(
    path: str | os.PathLike[str], pieces: Iterable[bytes | memoryview], verify: Callable[[Path], object]
) -> None:
    """Write a file by way of a temporary one beside it: write, sync, verify, rename, sync the directory.

    Parameters
    ----------
    path : path-like
        Where the file shall be. A symbolic link stays and its target is replaced. A file that is replaced hands on its
        permissions.
    pieces : iterable of bytes-like
        The contents.
    verify : callable
        Gets the path of the temporary file once it is synced, and raises if what can be read there is not right.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError, OSError
        The directory is missing, the path is a directory, access is denied, the disk is full or fails. The old file is
        then untouched and the temporary one removed. Only when the very last step fails, the sync of the directory, is
        the new file already in place: complete, but not certain to survive a crash of the machine.
    """
    target = Path(path).resolve()
    permissions = _permissions(target)
    temporary = target.with_name(f".{target.name[:40]}.{os.urandom(8).hex()}.tmp")
    try:
        directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        message = "the directory to write to does not exist; make it first"
        raise FileNotFoundError(errno.ENOENT, message, str(target.parent)) from None
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            try:
                if permissions is not None:
                    os.fchmod(descriptor, permissions)
                for piece in pieces:
                    _write_all(descriptor, piece)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            verify(temporary)
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        os.fsync(directory)
    except OSError as error:
        if error.filename is None:
            error.filename = str(target)  # write and sync know a descriptor only
        raise
    finally:
        os.close(directory)
