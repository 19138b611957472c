"""`functional.matmul`: in blocks, packed or in place, on any team, the chain over k that every product is."""

import functools
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import ganglion as gg
import ganglion.functional as F  # noqa: N812
from bits import DTYPES, SETS, assert_same_bits, operations

# (M, K, N): around copies of A, whose rows are 4 KiB apart; blocks of 1024 of k and of 224 KiB of A and C; B of 1 MiB,
# packed for 400 rows, and of 4 MiB, packed in one of three ways from 3 rows on; register tiles.
BLOCKED = [
    (64, 1024, 64),
    (113, 1025, 2049),
    (225, 1024, 1023),
    (70, 2050, 1025),
    (129, 3072, 700),
    (65, 256 * 8, 1056),
    (300, 300, 300),
    (2000, 50, 33),
    (399, 700, 520),
    (400, 700, 520),
    (401, 1024, 257),
    (430, 1100, 1030),
    (810, 512, 523),
    (1, 401, 400),
    (1, 1001, 999),
    (1, 1100, 1000),
    (2, 1100, 1000),
    (3, 1100, 1000),
    (28, 1100, 1031),
    (29, 1100, 1031),
    (29, 1024, 16),
]
IN_PLACE = [
    (1, 1, 1),
    (1, 784, 512),
    (63, 1024, 64),
    (64, 1024, 63),
    (64, 1023, 64),
    (256, 256, 7),
    (100, 50, 9),
    (15, 3, 100),
]


def factors(shape, dtype):
    M, K, N = shape
    random = np.random.default_rng(shape)
    return random.standard_normal((M, K)).astype(dtype), random.standard_normal((K, N)).astype(dtype)


@pytest.fixture(autouse=True)
def best_set_after():
    yield
    gg.use_kernel_set(None)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", BLOCKED + IN_PLACE, ids=str)
def test_same_bits_as_one_kernel_in_place(shape, dtype):
    a, b = factors(shape, dtype)
    expected = operations.matmul(SETS[0], a, b)
    for kernel_set in SETS[:2]:  # those with hardware's fma; below, smaller ones on all
        gg.use_kernel_set(kernel_set)
        for threads in (1, 2, 3, 7, None):
            assert_same_bits(F.matmul(a, b, threads=threads), expected)


def test_sums_in_another_order_have_other_bits():
    a, b = factors((64, 2048, 64), "float32")
    halves = F.matmul(a[:, :1024], b[:1024]) + F.matmul(a[:, 1024:], b[1024:])
    assert (halves != F.matmul(a, b)).any()


@functools.cache
def by_definition(shape, dtype):
    return operations.matmul("scalar", *factors(shape, dtype))


@pytest.mark.parametrize("kernel_set", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "columns"), [(66, 70), (410, 263)], ids=["copied", "copied and packed"])
def test_blocks_on_every_set(rows, columns, kernel_set, dtype):
    shape = (rows, 4096 // np.dtype(dtype).itemsize, columns)
    gg.use_kernel_set(kernel_set)
    for threads in (1, 3):
        assert_same_bits(F.matmul(*factors(shape, dtype), threads=threads), by_definition(shape, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_against_numpy(dtype):
    for shape in [(64, 1024, 64), (401, 1024, 257), (3, 1100, 1000), *IN_PLACE]:
        a, b = factors(shape, dtype)
        exact = a.astype(np.longdouble) @ b.astype(np.longdouble)
        bound = shape[1] * np.finfo(dtype).eps * (np.abs(a).astype(np.longdouble) @ np.abs(b).astype(np.longdouble))
        assert (np.abs(F.matmul(a, b) - exact) <= bound).all()
        assert (np.abs(F.matmul(a, b) * 1.01 - exact) > bound).any()


@pytest.mark.parametrize("kernel_set", SETS[:-1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_few_columns(kernel_set, dtype):
    """Rows in the lanes: whole blocks of rows and of k and what is left of both; beyond 1024 of k sums go on from C.

    What lies behind the rows of a is NaN, and some products underflow to -0.
    """
    gg.use_kernel_set(kernel_set)
    deep = np.dtype(dtype).itemsize * 275
    for columns in range(1, 14):
        for shape in [(16, 32, columns), (37, 45, columns), (100, 63, columns), (41, deep, columns)]:
            a, b = factors(shape, dtype)
            a[1], b[:, 0] = np.finfo(dtype).tiny, -np.finfo(dtype).tiny
            rows = np.full((shape[0] + 1, shape[1] + 2), np.nan, dtype)
            rows[:-1, :-2] = a
            wide = np.full((shape[0], columns + 3), 7, dtype)
            out = wide[:, 1 : columns + 1]
            expected = operations.matmul("scalar", a, b)
            assert not np.signbit(expected[1, 0])
            for threads in (1, 2):
                assert_same_bits(F.matmul(rows[:-1, :-2], b, out, threads=threads).copy(), expected)
                assert (wide[:, 0] == 7).all() and (wide[:, columns + 1 :] == 7).all()
            a[shape[0] - 3, 17] = np.nan
            assert np.isnan(F.matmul(a, b)).all(axis=1).nonzero()[0].tolist() == [shape[0] - 3]


def lying(matrix, layout, offset=0):
    """By rows, or "t" by columns; the first element lies `offset` behind a line of the cache, NaN around all."""
    rows = matrix.T if layout == "t" else matrix
    stride = rows.shape[1] + (3 if rows.shape[1] % 128 else 0)
    memory = np.full((rows.shape[0] + 2) * stride + 80, np.nan, matrix.dtype)
    first = -memory.ctypes.data // memory.itemsize % (64 // memory.itemsize) + offset
    view = memory[first : first + rows.shape[0] * stride].reshape(-1, stride)[:, : rows.shape[1]]
    view[:] = rows
    return view.T if layout == "t" else view


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layouts", ["tn", "nt", "tt"])
@pytest.mark.parametrize("shape", BLOCKED + IN_PLACE, ids=str)
def test_transposed_operands(shape, layouts, dtype):
    a, b = factors(shape, dtype)
    expected = operations.matmul(SETS[0], a, b)
    left, right = lying(a, layouts[0], 4), lying(b, layouts[1], 4)
    for threads in (1, 3):
        assert_same_bits(F.matmul(left, right, threads=threads), expected)


@pytest.mark.parametrize("kernel_set", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layouts", ["tn", "nt", "tt"])
def test_small_transposed_operands(layouts, dtype, kernel_set):
    """Around the rows that are turned at once, vectors of columns, blocks of k; rows of B that are 2 KiB apart."""
    gg.use_kernel_set(kernel_set)
    lines = 2048 // np.dtype(dtype).itemsize
    shapes = [(M, K, N) for M in (1, 2, 5, 8, 9, 16, 17, 33) for K in (1, 5, 16, 39) for N in (1, 3, 8, 17, 33)]
    for shape in [
        *shapes,
        (3, lines, 18),
        (9, lines, 33),
        (16, 2 * lines + 4, 40),
        (16, 2 * lines, 40),
        (lines, 45, 10),
        (300, 35, 11),
        (40, 40, 5),
    ]:
        a, b = factors(shape, dtype)
        a[0], b[:, 0] = np.finfo(dtype).tiny, -np.finfo(dtype).tiny
        expected = operations.matmul("scalar", a, b)
        assert not np.signbit(expected[0, 0])
        left, right = lying(a, layouts[0], sum(shape) % 7), lying(b, layouts[1], sum(shape) % 16)
        wide = np.full((shape[0], shape[2] + 3), 7, dtype)
        out = wide[:, 1 : shape[2] + 1]
        for threads in (1, 2):
            assert_same_bits(F.matmul(left, right, out, threads=threads).copy(), expected)
            assert (wide[:, 0] == 7).all() and (wide[:, shape[2] + 1 :] == 7).all()
        assert_same_bits(F.matmul(left, right, np.full(expected.shape, 7, dtype, order="F")), expected)


def test_transposed_operands_are_read_in_place():
    a, b, out = np.ones((300, 2000), np.float32), np.ones((400, 300), np.float32), np.zeros((2000, 400), np.float32)
    F.matmul(a.T, b.T, out)
    tracemalloc.start()
    F.matmul(a.T, b.T, out)
    F.matmul(a.T, b[0], out[:, 0])
    assert tracemalloc.get_traced_memory()[1] < 10_000
    tracemalloc.stop()
    assert (out[:, 1:] == 300).all() and (out[:, 0] == 300).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_vectors(dtype):
    a, b = factors((37, 90, 53), dtype)
    expected = operations.matmul("scalar", a, b)
    for layout in "nt":
        right, left = lying(b, layout), lying(a, layout)
        assert_same_bits(F.matmul(a[3], right), expected[3])
        assert_same_bits(F.matmul(np.repeat(a[3], 2)[::2], right, np.zeros(53, dtype)), expected[3])
        assert_same_bits(F.matmul(left, b[:, 5]), expected[:, 5])
        out = np.zeros((37, 2), dtype)
        F.matmul(left, np.ascontiguousarray(b[:, 5]), out[:, 1])
        assert_same_bits(out[:, 1].copy(), expected[:, 5])
        assert not out[:, 0].any()


def test_out_whose_rows_overlap_is_written_as_numpy_does():
    for out in (ROWS_TWICE, np.lib.stride_tricks.as_strided(np.zeros(8), (4, 2), (8, 8)).T):
        assert F.matmul(A, B, out) is out
        assert_same_bits(out[1].copy(), (A @ B)[1])


GUARDED = """
import ctypes, mmap, numpy as np, ganglion as gg, ganglion.functional as F
from ganglion import _ganglion_core as core
page = mmap.PAGESIZE
protect = ctypes.CDLL(None, use_errno=True).mprotect
protect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


def between_pages(matrix, layout, at_end):
    \"\"\"Its rows, or columns, three elements apart, against the end or the beginning of readable memory.\"\"\"
    rows = matrix.T if layout == "t" else matrix
    stride = rows.shape[1] + 3
    elements = (rows.shape[0] - 1) * stride + rows.shape[1]
    inner = -(-elements * rows.itemsize // page) * page
    memory = np.frombuffer(mmap.mmap(-1, inner + 2 * page), np.uint8)
    for edge in (0, page + inner):
        assert protect(memory.ctypes.data + edge, page, 0) == 0
    first = page + (inner - elements * rows.itemsize if at_end else 0)
    flat = memory[first : first + elements * rows.itemsize].view(rows.dtype)
    view = np.lib.stride_tricks.as_strided(flat, rows.shape, (stride * rows.itemsize, rows.itemsize))
    view[:] = rows
    return view.T if layout == "t" else view


sets = [info.name for info in core.kernel_sets() if info.supported]
random = np.random.default_rng(0)
shapes = [(1, 35, 37), (3, 16, 5), (7, 40, 33), (12, 19, 16), (13, 33, 20), (48, 35, 10), (50, 64, 3), (17, 1, 1)]
for dtype in ("float32", "float64"):
    for M, K, N in shapes:
        a, b = (random.standard_normal(shape).astype(dtype) for shape in ((M, K), (K, N)))
        expected = core.operations.matmul("scalar", a, b)
        for layouts in ("nn", "tn", "nt", "tt"):
            for at_end in (False, True):
                left, right = (between_pages(*operand, at_end) for operand in zip((a, b), layouts))
                out = between_pages(np.zeros_like(expected), "n", at_end)
                for kernel_set in sets:
                    gg.use_kernel_set(kernel_set)
                    F.matmul(left, right, out, threads=1)
                    assert (out == expected).all(), (M, K, N, layouts, kernel_set)
print("read nothing else")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="protects pages")
def test_nothing_beside_the_operands_is_read():
    run = subprocess.run([sys.executable, "-c", GUARDED], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "read nothing else", (run.returncode, run.stderr)


WITHOUT_MEMORY = """
import resource, numpy as np, ganglion.functional as F
from ganglion import machine
from ganglion._ganglion_core import operations
random = np.random.default_rng(0)
a, b = (random.standard_normal((1024, 1024), np.float32) for _ in range(2))
products = [(a, b), (a.T, b), (a, b.T), (a.T, b.T)]
kernel_set = machine.info().kernel_set
expected = [operations.matmul(kernel_set, left[:500], np.ascontiguousarray(right)) for left, right in products]
out = [np.ones((500, 1024), np.float32) for _ in products]
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limits = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 16), limits[1]))
try:
    np.ones(1 << 20, np.float32)
except MemoryError:
    for (left, right), c in zip(products, out):
        F.matmul(left[:500], right, c, threads=1)
    resource.setrlimit(resource.RLIMIT_AS, limits)
    print(all((c == e).all() for c, e in zip(out, expected)))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory and reads /proc")
def test_without_memory_for_blocks():
    run = subprocess.run([sys.executable, "-c", WITHOUT_MEMORY], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "True", run.stderr


A, B = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (A.tolist(), B.tolist()),
        (A.astype(int), B),
        (A, np.asfortranarray(B)),
        (np.asfortranarray(A), np.asfortranarray(B)),
        (B[:, ::2].T, A.T),
        (A[0, ::2], B[::2]),
        (A[:, :1], B[:1]),
        (A[:1, :1].T, B[:1]),
        (np.broadcast_to(B[0], (4, 4)), B.T),
        (np.asfortranarray(A), B),
        (A[:, ::-1], B[::-1]),
        (A[::-1], B),
        (A.astype(">f8"), B),
        (A.astype(np.float32), B),
        (A.astype(bool), B),
        (A[0], B),
        (A, B[:, 1]),
        (A[0], B[:, 1]),
        (np.broadcast_to(A[:1], (5, 3)), B),
        (A[:0], B),
        (A[:, :0], B[:0]),
        (np.repeat(A, 2, axis=0)[::2], np.repeat(B, 3, axis=0)[::3]),
    ],
)
def test_what_numpy_takes(a, b):
    expected = np.asarray(a, np.float64) @ np.asarray(b, np.float64)  # small whole numbers: exact
    result = F.matmul(a, b)
    assert_same_bits(result, expected)
    assert type(result) is type(expected)
    if expected.ndim == 2:
        out = np.full(expected.shape, np.nan)
        assert F.matmul(a, b, out) is out
        assert_same_bits(out, expected)


def test_types():
    single, half = A.astype(np.float32), A.astype(np.float16)
    assert F.matmul(single, B.astype(np.float32)).dtype == np.float32
    assert F.matmul(half, B.astype(np.float16)).dtype == np.float16
    assert F.matmul(half, B.astype(np.float32)).dtype == np.float32
    assert F.matmul(single, B.astype(int)).dtype == np.float64
    big = np.float16([[6e4, 6e4]])
    assert_same_bits(F.matmul(big, big.T), np.float16([[np.inf]]))


def test_what_is_not_finite_passes_through():
    assert np.isnan(F.matmul([[np.nan, 1]], [[0], [1]])).all()
    assert_same_bits(F.matmul([[np.inf, 1]], [[1], [1]]), np.array([[np.inf]]))


def read_only(array):
    array.flags.writeable = False
    return array


SHARED = np.ones((5, 5))
ROWS_TWICE = np.lib.stride_tricks.as_strided(np.zeros(8), (2, 4), (8, 8))
OUT = "out must be a writeable array of shape"
SHARES = "out must have memory of its own; it shares some with a or b"
WRONG = [
    (
        (A, A),
        {},
        ValueError,
        r"a's columns must be as many as b's rows; given shapes \(2, 3\) and \(2, 3\); transpose one",
    ),
    ((A, B[:2]), {}, ValueError, r"given shapes \(2, 3\) and \(2, 4\)$"),
    ((A[None], B), {}, ValueError, r"a must be a matrix or a vector; given shape \(1, 2, 3\); loop over the matrices"),
    ((A, 2.0), {}, ValueError, r"b must be a matrix or a vector; given shape \(\)"),
    ((A, B.astype(str)), {}, TypeError, "b must be an array of real numbers"),
    (
        (A, B, np.ones((2, 3))),
        {},
        ValueError,
        r"out must be a writeable array of shape \(2, 4\) and type float64; given shape \(2, 3\)",
    ),
    ((A, B, np.ones((2, 4), np.float32)), {}, ValueError, "given shape .2, 4., type float32"),
    ((A, B, read_only(np.ones((2, 4)))), {}, ValueError, "type float64, not writeable"),
    ((A, B, [[1.0] * 4] * 2), {}, TypeError, "out must be a writeable array .* given list"),
    ((A, B, np.ones((3, 4))), {}, ValueError, OUT),
    ((A, B, np.ones((1, 4))), {}, ValueError, OUT),
    ((A[0], B, np.ones((1, 4))), {}, ValueError, OUT),
    ((A, B[:, 0], np.ones((2, 1))), {}, ValueError, OUT),
    ((SHARED, np.ones((5, 5)), SHARED), {}, ValueError, SHARES),
    ((SHARED[:4, :4], np.ones((4, 4)), SHARED[1:, 1:]), {}, ValueError, SHARES),
    ((SHARED[1:, 1:], np.ones((4, 4)), SHARED[:4, :4]), {}, ValueError, SHARES),
    ((np.ones((4, 4)), SHARED[:4, :4], SHARED[1:, 1:]), {}, ValueError, SHARES),
    ((np.ones((4, 4)), SHARED[1:, 1:], SHARED[:4, :4]), {}, ValueError, SHARES),
    ((np.ones((4, 4)), SHARED.T[:4, :4], SHARED.T[1:, 1:]), {}, ValueError, SHARES),
    ((SHARED.T[1:, 1:], np.ones((4, 4)), SHARED.T[:4, :4]), {}, ValueError, SHARES),
    ((A, B), {"threads": 0}, ValueError, "threads must be at least 1; given 0"),
    ((A, B), {"threads": True}, TypeError, "threads must be an integer; given True"),
]


@pytest.mark.parametrize(("arguments", "options", "error", "text"), WRONG)
def test_wrong_uses(arguments, options, error, text):
    with pytest.raises(error, match=text):
        F.matmul(*arguments, **options)
