"""How many threads train is measured while they do: the choice follows what steps take, disturbances do not last."""

import os

import numpy as np
import pytest

from ganglion import _ganglion_core as core

ALONE, ROWS, LAYERS = 157e-6, 84e-6, 110e-6  # seconds a step of 784-50-10 on 100 rows


def steps(threads, plan, _time):
    return ALONE if threads == 1 else ROWS if plan == "rows" else LAYERS


def teams(seconds, until=10.0, chunk=0.02, most=2):
    """Arrays of when a run of steps began, its threads, whether its plan is by rows, and whether it was a trial's."""
    used = core.operations.training_teams(most, chunk, until, seconds)
    time, threads, plan, trial = zip(*used, strict=True)
    return np.array(time), np.array(threads), np.array(plan) == "rows", np.array(trial)


def share(time, chosen, until):
    """Of the time until then."""
    return (np.diff([*time, until]) * chosen).sum() / until


@pytest.mark.parametrize("scale", [0.1, 1, 50])
def test_the_fastest_is_used_nearly_all_the_time(scale):
    time, threads, rows, _ = teams(lambda *of: scale * steps(*of))
    assert share(time, (threads == 2) & rows, 10) > 0.97
    time, threads, _, _ = teams(lambda threads, *_: scale * ALONE * threads)
    assert share(time, threads == 1, 10) > 0.95


def test_short_steps_are_left_alone_for_longer():
    """Below 10 µs nobody suspects that two threads are faster."""
    _, _, _, trial = teams(lambda threads, *_: 1e-6 * threads)
    _, _, _, longer = teams(lambda threads, *_: 2e-5 * threads)
    assert (np.diff(trial.astype(int)) == 1).sum() <= 10 < (np.diff(longer.astype(int)) == 1).sum()


@pytest.mark.parametrize("disturbed", [3e-4, 1e-3, 8e-3])
def test_a_disturbed_trial_does_not_decide_for_long(disturbed):
    """Both threads on one processor for the first hundredths of a second, or something else on the other one."""
    time, threads, rows, trial = teams(
        lambda threads, plan, time: disturbed if threads == 2 and time < 0.05 else steps(threads, plan, time)
    )
    wrong = time[(threads == 1) & ~trial]
    assert wrong.max() < 0.4
    assert share(time, (threads == 2) & rows, 10) > 0.93


def test_what_a_step_took_once_does_not_prolong_an_answer():
    calls = []

    def seconds(threads, plan, time):
        if threads == 1 or time > 0.3:
            return steps(threads, plan, time)
        calls.append(time)
        return 0.05 if len(calls) == 3 else 2e-4

    time, threads, _, trial = teams(seconds)
    assert len(calls) > 3
    assert time[(threads == 1) & ~trial].max() < 0.9


def test_who_stays_slower_is_asked_ever_less_often():
    time, _, _, trial = teams(lambda threads, *_: ALONE if threads == 1 else 1.2 * ALONE)
    begun = time[1:][np.diff(trial.astype(int)) == 1]
    waits = np.diff(begun)
    assert waits[0] < 0.3 and waits[-1] > 0.9
    assert share(time, trial, 10) < 0.02


def test_a_processor_that_becomes_free_is_used_again():
    time, threads, rows, _ = teams(
        lambda threads, plan, time: 3e-4 if threads == 2 and time < 5 else steps(threads, plan, time)
    )
    found = time[(threads == 2) & rows & (time > 5)][0]
    assert found - 5 < 1.1
    assert share(time[time > found] - found, ((threads == 2) & rows)[time > found], 10 - found) > 0.95


ALLOWED = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
needs_two = pytest.mark.skipif(ALLOWED < 2, reason="needs two processors, and a system that tells them apart")


@needs_two
def test_threads_that_come_to_one_processor_part():
    """Each looks where it is when its work begins; what it may use stays the same."""
    found = core.operations.places(min(ALLOWED, 8) + 1, team=False)
    assert {mask for _, mask in found} == {ALLOWED}
    assert len({processor for processor, _ in found}) == min(ALLOWED, 8)


@needs_two
def test_a_team_does_so():
    parted = 0
    for _ in range(20):
        (first, mask), (second, other) = core.operations.places(2, team=True)
        assert mask == other == ALLOWED
        parted += first != second
    assert parted >= 18  # the scheduler may move one in the same instant


@pytest.mark.parametrize("team", [False, True])
def test_more_threads_than_processors_still_run(team):
    found = core.operations.places(ALLOWED + 70, team=team)
    assert len(found) in (0, ALLOWED + 70)  # none on systems that do not tell
    assert {mask for _, mask in found} <= {ALLOWED}


@pytest.mark.parametrize(("step", "most"), [(1e-6, 2), (1e-6, 8), (2e-5, 8)])
def test_trials_do_not_take_over_where_each_is_disturbed(step, most):
    chance = np.random.default_rng(3)

    def seconds(threads, plan, _time):
        disturbed = threads > 1 and chance.random() < 0.5
        return step * (1.2 if threads > 1 else 1) + (3e-3 if disturbed else 0)

    time, _, _, trial = teams(seconds, most=most)
    assert share(time, trial, 10) < 0.3
