"""Data sets as arrays: one module per file format."""

from ganglion.data.idx import mnist, read_idx

__all__ = ["mnist", "read_idx"]
