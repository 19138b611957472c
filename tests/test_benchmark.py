"""What ``ganglion bench`` compares: that a wrong, dead or hanging peer is found, and what is printed of the others."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bad_peers
import ganglion as gg
from ganglion import cli
from ganglion.benchmark import features, imports, kernels, networks, peer_training, peers, processes, table, workloads
from ganglion.benchmark.processes import Dropped, Outcome, Plan, Result

THERMO, RL, BOOK, TABULAR, MNIST, WIDE = workloads.TRAININGS
SMALL = (THERMO, RL, BOOK, TABULAR)
each_small_training = pytest.mark.parametrize("work", SMALL, ids=lambda work: work.name)
SHORT = Plan(rounds=1, seconds=1e-3)


@pytest.mark.parametrize(
    ("name", "mflop"),
    [("thermo", 0.00143), ("rl", 2.00), ("book", 16.0), ("tabular", 118), ("mnist", 411), ("wide", 23471)],
)
def test_a_step_has_the_published_number_of_operations(name, mflop):
    assert workloads.WORKLOADS[name].flops / 1e6 == pytest.approx(mflop, rel=5e-3)


@pytest.mark.parametrize("work", workloads.WORKLOADS.values(), ids=lambda work: work.name)
def test_every_workload_says_what_it_is(work):
    assert work.title
    assert work.units >= 1
    assert work.bytes_moved > 0
    assert [work] == list(workloads.find(work.name))
    other = "torch" if isinstance(work, features.FeatureTraining) else "numpy"
    assert set(peers.PEERS[type(work)]) >= {"ganglion", other}


@pytest.mark.parametrize("name", ["trains", "matmul-17", ""])
def test_an_unknown_workload_is_refused(name):
    with pytest.raises(
        ValueError, match="known are the groups train, features, predict, matmul, activation, update and thermo"
    ):
        workloads.find(name)


class FewerSteps(peer_training._NumpyNetwork):
    left = 3

    def update(self, gradients):
        self.left -= 1
        if self.left >= 0:
            super().update(gradients)


class NoBiases(peer_training._NumpyNetwork):
    def gradients(self, x, y):
        gradients = super().gradients(x, y)
        for gradient in gradients[1::2]:
            gradient[:] = 0
        return gradients


class FirstBatchOnly(peer_training._NumpyNetwork):
    def gradients(self, x, y):
        self.batch = getattr(self, "batch", (x, y))
        return super().gradients(*self.batch)


class HalfTheRows(peer_training._NumpyNetwork):
    def gradients(self, x, y):
        return super().gradients(x[: len(x) // 2], y[: len(y) // 2])


class AnotherRate(peer_training._NumpyNetwork):
    def update(self, gradients):
        before = [weight.copy() for weight in self.weights]
        super().update(gradients)
        for weight, old in zip(self.weights, before, strict=True):
            weight += 0.1 * (weight - old)


MISTAKES = (FewerSteps, NoBiases, FirstBatchOnly, HalfTheRows, AnotherRate)


def deviation_of(work, network, monkeypatch):
    monkeypatch.setattr(peer_training, "_NumpyNetwork", network)
    job = peer_training.numpy(work, 1)
    job.check()
    return work.deviation(job.answer(), work.expected())


@each_small_training
def test_a_right_training_is_taken_for_right(work, monkeypatch):
    assert deviation_of(work, peer_training._NumpyNetwork, monkeypatch) <= work.tolerance / 5


@each_small_training
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_training_is_found(work, mistake, monkeypatch):
    if work is THERMO and mistake is FirstBatchOnly:
        pytest.skip("it has one batch")
    assert deviation_of(work, mistake, monkeypatch) > work.tolerance


@each_small_training
@pytest.mark.parametrize(
    "answer",
    [
        lambda work: work.weights(),
        lambda work: work.weights()[:-1],
        lambda work: [np.full_like(weight, np.nan) for weight in work.weights()],
    ],
    ids=["untrained", "one is missing", "NaN"],
)
def test_an_answer_that_is_none_is_found(work, answer):
    assert work.deviation(answer(work), work.expected()) > 0.99


@pytest.mark.parametrize("peer", ["ganglion", "ganglion_loop"])
@each_small_training
def test_ganglion_is_right(work, peer):
    job = getattr(peer_training, peer)(work, 2)
    job.check()
    assert work.deviation(job.answer(), work.expected()) <= work.tolerance / 5


@pytest.mark.slow
@pytest.mark.parametrize("work", [MNIST, WIDE], ids=lambda work: work.name)
@pytest.mark.parametrize("mistake", [None, *MISTAKES])
def test_large_trainings_are_told_apart_as_well(work, mistake, monkeypatch):
    deviation = deviation_of(work, mistake or peer_training._NumpyNetwork, monkeypatch)
    assert (deviation > work.tolerance) == (mistake is not None)


SMALL_FEATURES = [work for work in workloads.FEATURE_TRAININGS if work.name.startswith("tabular")]


@pytest.mark.parametrize("work", SMALL_FEATURES, ids=lambda work: work.name)
def test_trainings_with_features_are_right(work):
    job = peers.make(work, "ganglion", 2)
    job.check()
    answer, expected = job.answer(), work.expected()
    assert work.deviation(answer, expected) <= work.tolerance / 5
    half = [a - np.float32(0.5) * (a - s) for a, s in zip(answer, work.start(), strict=True)]
    assert work.deviation(half, expected) > work.tolerance


@pytest.mark.parametrize("work", SMALL_FEATURES[:2], ids=lambda work: work.name)
def test_a_training_without_its_feature_is_found(work):
    plain = work.plain()
    assert work.deviation([a.astype(np.float32) for a in plain.expected()], work.expected()) > work.tolerance


CALLS = [
    *workloads.PREDICTIONS,
    *(work for work in workloads.PRODUCTS if work.flops < 1e8),
    *workloads.ACTIVATIONS,
    *(work for work in workloads.UPDATES if work.size <= 2**16),
]


@pytest.mark.parametrize("work", CALLS, ids=lambda work: work.name)
@pytest.mark.parametrize("peer", ["ganglion", "numpy"])
def test_calls_are_right_and_a_mistake_is_found(work, peer):
    job = peers.make(work, peer, 1)
    job.check()
    answer, expected = job.answer(), work.expected()
    assert work.deviation(answer, expected) <= work.tolerance
    start = work.start()
    slightly_less = [a - np.float32(3 * work.tolerance) * (a - s) for a, s in zip(answer, start, strict=True)]
    assert work.deviation(slightly_less, expected) > work.tolerance


@pytest.fixture
def bad(monkeypatch):
    """Workers whose peers are those of bad_peers.py."""
    monkeypatch.setattr(processes, "COMMAND", (sys.executable, str(Path(bad_peers.__file__))))
    monkeypatch.setitem(processes.PEERS, networks.Training, bad_peers.TABLE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))


def test_bad_peers_are_dropped_and_named(bad):
    names = [name for name in bad_peers.NAMES if name != "hangs"]
    outcome = processes.compare(THERMO, names, (1,), replace(SHORT, rounds=2))
    assert [result.peer for result in outcome.results] == ["right"]
    reasons = {lost.peer: lost.reason for lost in outcome.dropped}
    assert reasons.pop("wrong").startswith("wrong answer: ")
    assert reasons == {
        "raises": "RuntimeError: no such device",
        "dies": "ended with status 3: illegal instruction",
        "dies_later": "ended with status 4",
        "diverges": "its numbers were no longer finite after the timing",
    }


def test_a_peer_that_hangs_is_ended(bad):
    outcome = processes.compare(THERMO, ["hangs"], (1,), replace(SHORT, deadline=3.0))
    assert outcome == Outcome(THERMO, (), (Dropped("hangs", 1, "no answer in 3 s"),))


def test_each_process_has_the_threads_that_it_is_told(bad):
    with processes.started(THERMO, "right", 1, SHORT) as worker:
        path = Path(f"/proc/{worker.process.pid}/environ")
        worker.check(THERMO, THERMO.expected())
        variables = path.read_text(encoding="utf-8").split("\0")
        assert "OMP_NUM_THREADS=1" in variables
        assert "OPENBLAS_NUM_THREADS=1" in variables
    assert worker.process.returncode is not None


@pytest.mark.parametrize(
    ("work", "threads", "expected"),
    [(THERMO, 2, (1, 0)), (THERMO, 1, (1,)), (workloads.PRODUCTS[0], 2, (1,)), (workloads.PREDICTIONS[0], 8, (1, 0))],
)
def test_one_thread_and_the_default_are_tried(work, threads, expected):
    assert processes.settings(work, threads) == expected


HERE = table.Machine("a CPU", "avx2", 4, (1e9, 4e9), 1e10, {"Python": "3.11"})
OUTCOME = Outcome(
    workloads.WORKLOADS["matmul-16"],
    (
        Result("numpy", 1, 1e-7, (4e-5, 3e-5, 5e-5)),
        Result("ganglion", 1, 1e-7, (2e-5, 1e-5, 9e-5)),
        Result("ganglion", 0, 1e-7, (3e-5,)),
        Result("torch", 0, 1e-7, (3.2e-5,)),
        Result("ganglion.loop", 0, 1e-7, (1e-6,)),
    ),
    (Dropped("jax", 0, "no answer in 300 s"),),
)


def test_the_better_number_of_threads_counts():
    assert [(result.peer, result.threads) for result in OUTCOME.best()] == [
        ("ganglion.loop", 0),
        ("ganglion", 1),
        ("torch", 0),
        ("numpy", 1),
    ]
    assert OUTCOME.ratio() == pytest.approx(1.6)
    assert replace(OUTCOME, results=OUTCOME.results[1:3]).ratio() is None


def test_the_table_of_a_workload():
    assert table.block(OUTCOME, HERE).splitlines() == [
        "matmul-16: (16, 16) · (16, 16), 0.00819 MFLOP a product",
        "                 µs a product  least – most            GFLOP/s  of peak  time / ours",
        "  ganglion.loop          1.00   1.00 – 1.00   default     8.19   204.8%         0.05",
        "  ganglion               20.0   10.0 – 90.0  1 thread     0.41    41.0%         1.00",
        "  torch                  32.0   32.0 – 32.0   default    0.256     6.4%         1.60",
        "  numpy                  40.0   30.0 – 50.0  1 thread    0.205    20.5%         2.00",
        "  ganglion is 1.60 times as fast as the best other library",
        "  dropped: jax (default): no answer in 300 s",
    ]


def test_the_mean_is_over_the_trainings():
    training = replace(OUTCOME, work=RL)
    faster = replace(training, results=(Result("ganglion", 1, 0, (1e-6,)), Result("numpy", 1, 0, (6.4e-6,))))
    assert table.summary([training, faster, OUTCOME]).startswith("training: 3.20 times as fast")
    assert table.summary([training, OUTCOME]) == ""


@pytest.mark.parametrize("library", ["torch", "jax", "keras", "sklearn", "onnxruntime"])
def test_a_library_that_is_missing_is_absent(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    for kind, names in peers.PEERS.items():
        work = next(work for work in workloads.WORKLOADS.values() if type(work) is kind)
        for name in names:
            if name.partition(".")[0] == library:
                with pytest.raises(ImportError):
                    peers.make(work, name, 1)


@pytest.mark.parametrize("kind", peers.PEERS, ids=lambda kind: kind.__name__)
def test_every_peer_has_its_function(kind):
    for place in peers.PEERS[kind].values():
        module, _, function = place.partition(":")
        assert callable(getattr(__import__(f"ganglion.benchmark.peer_{module}", fromlist=[function]), function))
    assert kind in {
        networks.Training,
        features.FeatureTraining,
        networks.Prediction,
        kernels.Product,
        kernels.Activation,
        kernels.Update,
    }


def test_imports_are_timed():
    found = imports.import_seconds(["numpy", "ganglion after numpy"], rounds=2)
    assert set(found) == {"numpy", "ganglion after numpy"}
    assert all(len(times) == 2 and min(times) > 0 for times in found.values())


def test_the_command_prints_a_table_and_writes_every_round(capsys, tmp_path):
    path = tmp_path / "speed.json"
    arguments = ["--work", "thermo,import", "--only", "ganglion,numpy", "--quick", "--json", str(path)]
    assert cli.main(["bench", *arguments]) == 0
    printed = capsys.readouterr().out
    for words in (gg.info().cpu, "measured peak", "thermo: 1-13-1 tanh", "numpy  ", "times as fast as", "import:"):
        assert words in printed
    written = json.loads(path.read_text(encoding="utf-8"))
    (work,) = written["works"]
    assert (work["name"], work["dropped"]) == ("thermo", [])
    assert {result["peer"] for result in work["results"]} == {"ganglion", "numpy"}
    assert all(len(result["seconds"]) == 2 and min(result["seconds"]) > 0 for result in work["results"])
    assert all(result["deviation"] <= THERMO.tolerance for result in work["results"])
    assert all(peak > 0 for peak in written["machine"]["peak"])
    assert set(written["imports"]) == {"numpy", *(name for name in imports.IMPORTS if name.startswith("ganglion"))}
    assert all(times and min(times) > 0 for times in written["imports"].values())
