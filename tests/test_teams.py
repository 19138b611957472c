"""Every kernel on every set in teams of 1, 2, 3 and 7 that really ran: the scalar set's bits on 300 shapes and more.

Each case trains two steps of a small network whose sizes straddle the register tiles (1, 2, 4 and 8 vectors, 14 rows),
the tiles of a weight gradient (64 × 64, 128 × 128), the row panels (112) and the leaves (128 rows); x is read in place,
misaligned or strided, or gathered.
"""

from itertools import pairwise, product

import numpy as np
import pytest

from bits import SETS
from ganglion import _ganglion_core as core
from run_cases import TEAMS, data, digest, network, training

SIZES = [1, 2, 7, 10, 13, 15, 16, 17, 31, 33, 50, 63, 64, 65, 127, 128, 129]
ROWS = [1, 2, 13, 15, 28, 111, 113, 127, 128, 129, 257, 1000]
LAYOUTS = ["contiguous", "misaligned", "strided", "shuffled"]
ACTIVATIONS = [row.name for row in core.activations() if row.needs != "nothing"]
OPTIMIZERS = core.optimizers()
PLANS = ["rows", "layers", "stored"]


def cases():
    """Every size as input, hidden and output width beside every number of rows, the other choices taken in turn."""
    turn = 0
    for width, rows in product(SIZES, ROWS):
        for widths in ([width, 5, 3], [4, width, 3], [3, 6, width]):
            if rows * sum(a * b for a, b in pairwise(widths)) > 400_000:
                continue
            yield (
                widths,
                rows,
                LAYOUTS[turn % len(LAYOUTS)],
                ACTIVATIONS[turn % len(ACTIVATIONS)],
                OPTIMIZERS[turn // 3 % len(OPTIMIZERS)],
                PLANS[turn // 2 % len(PLANS)],
                ["float32", "float32", "float64"][turn // 5 % 3],
                ["cross_entropy", "mse"][turn // 7 % 2],
            )
            turn += 1


CASES = list(cases())


def laid_out(x, layout):
    """The same values, starting one element off a vector, or in every second row of a wider array."""
    rows, columns = x.shape
    if layout == "misaligned":
        memory = np.zeros(x.size + 1, x.dtype)
        memory[1:] = x.ravel()
        return memory[1:].reshape(rows, columns)
    if layout == "strided":
        memory = np.full((2 * rows, columns + 3), np.nan, x.dtype)
        memory[::2, :columns] = x
        return memory[::2, :columns]
    return x


def train(case, kernel_set, team):
    widths, rows, layout, activation, optimizer, plan, dtype, loss = case
    x, y = data(rows, dtype, widths)
    values = np.cos(np.arange(rows * widths[-1], dtype=dtype)).reshape(rows, widths[-1])
    net = network(widths, activation, dtype)
    run = training(net, loss=loss, optimizer=optimizer, momentum=0.9, weight_decay=1e-3)
    feed = (
        core.Feed(laid_out(x, layout), y) if loss == "cross_entropy" else core.Feed(laid_out(x, layout), None, values)
    )
    report = run.run(
        core.Context(kernel_set, team), feed, batch_size=rows, steps=2, shuffle=layout == "shuffled", plan=plan
    )
    assert (report.kernel_set, report.team, report.steps) == (kernel_set, team, 2)
    return digest(net), report.epochs.tobytes()


def test_the_table_is_large_and_covers_every_choice():
    assert len(CASES) >= 300
    for column, choices in [(2, LAYOUTS), (3, ACTIVATIONS), (4, OPTIMIZERS), (5, PLANS)]:
        assert {case[column] for case in CASES} == set(choices)


@pytest.mark.parametrize("part", range(12))
def test_teams_on_every_set_give_the_scalar_bits(part):
    for case in CASES[part::12]:
        expected = train(case, "scalar", 1)
        for kernel_set, team in product(SETS, TEAMS):
            assert train(case, kernel_set, team) == expected, (case, kernel_set, team)


def test_another_order_of_sums_would_be_seen():
    """The same rows in another order are the same sums in another order: other bits."""
    x, y = data(129, widths=[5, 9, 3])
    digests = set()
    for order in (slice(None), slice(None, None, -1)):
        net = network([5, 9, 3])
        feed = core.Feed(np.ascontiguousarray(x[order]), np.ascontiguousarray(y[order]))
        training(net).run(core.Context(), feed, batch_size=129, steps=2, shuffle=False)
        digests.add(digest(net))
    assert len(digests) == 2
