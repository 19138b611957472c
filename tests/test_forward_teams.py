"""Forward passes are shared out among threads only where that has been faster: the choice follows what passes take."""

import numpy as np
import pytest

from ganglion import _ganglion_core as core

PASSES = 3000


def teams(alone, together, rows=64, most=2):
    """The team of each pass, which takes so many seconds alone or together; a number stands for all passes."""
    return core.operations.forward_teams(most, *(np.broadcast_to(v, PASSES).tolist() for v in (rows, alone, together)))


@pytest.mark.parametrize("most", [2, 8])
@pytest.mark.parametrize("seconds", [3e-5, 1e-3, 0.1])
def test_the_faster_goes_on_and_the_other_is_asked_now_and_then(seconds, most):
    for alone, together, chosen in ((2, 1.0, most), (1, 1.7, 1), (1, 0.9, most), (1, 0.99, most)):
        used = np.array(teams(alone * seconds, together * seconds, most=most))
        assert set(used) == {1, most}
        assert (used[6:] == chosen).mean() > 0.98


def test_a_team_that_has_not_been_slower_is_used():
    assert teams(1.0, 1.0)[:3] == [2, 2, 2]


@pytest.mark.parametrize(("before", "after"), [(1e-4, 1e-3), (1e-3, 1e-4)], ids=["others come", "others go"])
def test_the_choice_changes_with_what_others_do(before, after):
    half = PASSES // 2
    used = np.array(teams(2e-4, np.repeat([before, after], half)))
    assert (used[6:half] == (2 if before < after else 1)).mean() > 0.98
    changed = np.flatnonzero(used[half:] == (1 if before < after else 2))[0]
    assert changed * 2e-4 < 0.3  # seconds
    assert (used[-half // 4 :] == (1 if before < after else 2)).mean() > 0.97


def test_sizes_of_batches_are_asked_about_apart():
    rows = np.tile([1, 64], PASSES // 2)
    used = np.array(teams(1e-4, np.where(rows == 1, 3e-4, 1e-5), rows))
    assert (used[20:][rows[20:] == 1] == 1).mean() > 0.98
    assert (used[20:][rows[20:] == 64] == 2).mean() > 0.98


def test_batches_of_many_panels_are_always_shared():
    assert set(teams(1.0, 2.0, rows=5000)) == {2}


def test_one_slow_pass_changes_nothing():
    together = np.full(PASSES, 1e-4)
    together[1::50] = 3e-3
    assert (np.array(teams(2e-4, together)) == 2).mean() > 0.98


@pytest.mark.parametrize("every", [40, 97, 301])
def test_a_few_slow_passes_in_a_row_change_nothing(every):
    """As when something else uses a processor for a while: the one thread alone does not notice."""
    together = np.full(PASSES, 1e-4)
    for first in range(30, PASSES - 5, every):
        together[first : first + 5] = 1e-3
    assert (np.array(teams(2e-4, together)) == 2).mean() > 0.97


def test_batches_of_any_size_in_turn_do_not_ask_all_the_time():
    rows = np.tile([64, 64, 64, 127, 127, 127], PASSES // 6)  # of the same time, as where weights come from memory
    assert (np.array(teams(2e-3, 1e-3, rows)) == 2).mean() > 0.96
