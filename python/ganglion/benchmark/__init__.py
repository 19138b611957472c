"""``ganglion bench``: the same work by ganglion and by the libraries that are installed beside it.

`workloads` says what is done and what the right answer is, the ``peer_*`` modules how each library does it, `worker`
runs one of them in a process of its own, `processes` compares and times them, `table` shows it. NumPy is all it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ganglion.benchmark import imports, peers, processes, table, workloads

__all__ = ["run"]

DEFAULT = ("train", "predict", "matmul", "import")
QUICK = processes.Plan(rounds=2, seconds=0.02)
SLOW_TO_START = {"torch.compile"}  # and never the fastest where it was measured


def run(
    work: Sequence[str] = DEFAULT,
    only: Sequence[str] = (),
    *,
    rounds: int | None = None,
    quick: bool = False,
    shuffle: bool = False,
    json: Path | None = None,
) -> bool:
    """Measure and print.

    Parameters
    ----------
    work
        Names of workloads or of groups of them, see `workloads.find`, or ``"import"``.
    only
        Names of peers; all by default.
    rounds
        How often each is timed; 7 by default.
    quick
        Two short rounds without the peers that are slow to start: a look, not a measurement.
    shuffle
        Whether trainings take the rows in a new order each epoch.
    json
        Where to write all that was measured.

    Returns
    -------
    bool
        Whether no peer was dropped and something was measured.

    Raises
    ------
    ValueError
        There is no such workload or peer.
    """
    plan = QUICK if quick else processes.Plan()
    plan = plan if rounds is None else replace(plan, rounds=rounds)
    chosen = {found.name: found for name in work if name != "import" for found in workloads.find(name, shuffle=shuffle)}
    names = _peers(only, quick)
    here = table.Machine.here()
    print(here)
    print("answers are compared with float64 first; then each peer is timed in processes of its own, interleaved;")
    print(f"medians of {plan.rounds} rounds, the better of one thread and the peer's default")
    outcomes: list[processes.Outcome] = []
    imported: dict[str, tuple[float, ...]] = {}

    def show(block: str) -> None:
        print(f"\n{block}", flush=True)
        if json is not None:  # each time, so that an interruption loses little
            table.write(json, table.to_json(here, plan, outcomes, imported))

    for each in chosen.values():
        outcomes.append(processes.compare(each, names, processes.settings(each, here.threads), plan))
        show(table.block(outcomes[-1], here))
    if "import" in work:
        wanted = [name for name in imports.IMPORTS if name.partition(" ")[0] in names]
        imported.update(imports.import_seconds(wanted, plan.rounds))
        show(table.imports_block(imported))
    if total := table.summary(outcomes):
        print(f"\n{total}")
    measured = bool(imported) or any(outcome.results for outcome in outcomes)
    return measured and not any(outcome.dropped for outcome in outcomes)


def _peers(only: Sequence[str], quick: bool) -> list[str]:
    known = peers.names()
    for name in only:
        if name not in known:
            raise ValueError(f"unknown peer {name!r}; known are {', '.join(known)}")
    return [name for name in known if name in only or not (only or (quick and name in SLOW_TO_START))]
