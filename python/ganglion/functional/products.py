"""The matrix product, by the core's register tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganglion import _native, inputs, machine

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array


def matmul(a: ArrayLike, b: ArrayLike, out: Array | None = None, *, threads: int | None = None) -> Array:
    """Compute C = a · b, C_ij = Σ_k a_ik b_kj, the sum being one chain of fused multiply-adds over k = 0, 1, ….

    So the bits are the same on any machine, kernel set and number of threads, which those of ``a @ b`` are not.

    Parameters
    ----------
    a, b
        Matrices (M, K) and (K, N), or a vector (K,) for either; two of float32 give float32, float16 is
        computed in float32 and rounded back, everything else in float64. Those with contiguous rows or columns are read
        in place, with any distance between vectors' elements: ``x.T``, ``W.T`` and ``W[:, 0]`` cost no copy.
    out
        Of the result's shape and type, to write to, in place if its rows or columns are contiguous. It must not reach
        into the memory between the first and the last element of a or b.
    threads
        1 … 1024; by default as many as the work is worth.

    Returns
    -------
    ndarray
        (M, N), or less an axis for each vector; `out` where it is given.

    Raises
    ------
    TypeError, ValueError
        If the sizes do not fit, something has no real numbers, or `out` is not as above.

    Examples
    --------
    >>> import numpy as np
    >>> matmul([[1, 2], [3, 4]], [[5, 6], [7, 8]])
    array([[19., 22.],
           [43., 50.]])
    >>> matmul(np.float32([1, 2]), np.float32([3, 4]))
    np.float32(11.0)
    """
    product = _native.try_matmul(machine.context(threads), a, b, out)
    return product if product is not None else _converted(a, b, out, threads)


def _converted(a: ArrayLike, b: ArrayLike, out: Array | None, threads: int | None) -> Array:
    left, right = inputs.numeric("a", a), inputs.numeric("b", b)
    for name, array in (("a", left), ("b", right)):
        if array.ndim not in (1, 2):
            raise ValueError(f"{name} must be a matrix or a vector; given shape {array.shape}; loop over the matrices")
    inner = left.shape[-1], right.shape[0]
    if inner[0] != inner[1]:
        raise ValueError(
            f"a's columns must be as many as b's rows; given shapes {left.shape} and {right.shape}"
            + ("; transpose one: a.T or b.T" if left.ndim == right.ndim == 2 and inner[0] in right.shape else "")
        )
    given = np.result_type(left, right)
    dtype = given if given in (np.float16, np.float32) else np.dtype(np.float64)
    computed = np.float64 if dtype == np.float64 else np.float32
    A = np.array(left[None, :] if left.ndim == 1 else left, computed, order="C")
    B = np.array(right[:, None] if right.ndim == 1 else right, computed, order="C")
    shape = left.shape[:-1] + right.shape[1:]
    if out is not None:
        _check_out(out, shape, dtype, (left, right))
    C: Array = np.zeros((len(A), B.shape[1]), computed)
    if A.size and B.size:
        _native.try_matmul(machine.context(threads), A, B, C)
    with np.errstate(over="ignore"):
        result: Array = C.reshape(shape).astype(dtype)
    if out is None:
        return result[()]
    out[...] = result
    return out


def _check_out(out: object, shape: tuple[int, ...], dtype: np.dtype[np.generic], operands: tuple[Array, Array]) -> None:
    expected = f"out must be a writeable array of shape {shape} and type {dtype}"
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{expected}; given {type(out).__name__}")
    if out.shape != shape or out.dtype != dtype or not out.flags.writeable:
        kind = "" if out.flags.writeable else ", not writeable"
        raise ValueError(f"{expected}; given shape {out.shape}, type {out.dtype}{kind}")
    if any(np.may_share_memory(out, operand) for operand in operands):
        raise ValueError("out must have memory of its own; it shares some with a or b: pass a copy of that")
