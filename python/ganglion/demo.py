"""``ganglion demo``: train on real digits, say how well and how fast, leave the model and a picture of the curves."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

import ganglion as gg
from ganglion.demo_numpy import Training, Work
from ganglion.history import History
from ganglion.progress import duration, rate
from ganglion.reference.random import shuffle

__all__ = ["DIGITS", "MNIST", "Data", "Race", "Recipe", "digits", "mnist", "race", "run"]

SEEDS = 3
ROUNDS = 3  # of the race; each side's best one counts
# How far the epochs' losses of the two may lie apart, as a share of the first one. Rounding moves them by up to 3e-4
# (Adam makes much of gradients near 0), another order of the images by 9e-2.
TOLERANCE = 2e-3


@dataclass(frozen=True)
class Recipe:
    """What the demo trains: a ReLU network with Adam, whose rate falls in a straight line to 0.

    Attributes
    ----------
    hidden
        Units of the hidden layers.
    race_rows, race_epochs
        How much of the work is done beside NumPy.
    """

    name: str
    hidden: tuple[int, ...]
    epochs: int
    batch_size: int
    learning_rate: float
    race_rows: int
    race_epochs: int

    def steps(self, rows: int, epochs: int) -> int:
        """Number of optimizer steps of a training."""
        return epochs * math.ceil(rows / self.batch_size)

    def model(self, seed: int) -> gg.Sequential:
        """Make the network."""
        hidden = [gg.Dense(units, activation="relu") for units in self.hidden]
        return gg.Sequential([*hidden, gg.Dense(10)], seed=seed)

    def trainer(self, model: gg.Sequential, rows: int, epochs: int) -> gg.Trainer:
        """Make what trains it for so many epochs of so many rows."""
        schedule = gg.LinearDecay(self.learning_rate, 0.0, self.steps(rows, epochs))
        return gg.Trainer(model, "cross_entropy", gg.Adam(schedule), metrics=["accuracy"])


DIGITS = Recipe("digits", (256, 128), epochs=12, batch_size=16, learning_rate=2e-3, race_rows=1437, race_epochs=5)
MNIST = Recipe("mnist", (512, 512), epochs=5, batch_size=128, learning_rate=1e-3, race_rows=60_000, race_epochs=1)


@dataclass(frozen=True)
class Data:
    """Images to train on and images held out: x float32 in [0, 1] (n, I), y the digits (n,)."""

    title: str
    x: NDArray[np.float32]
    y: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]


def digits() -> Data:
    """Load scikit-learn's 1,797 scans of 8 × 8; a stratified random fifth, always the same, is held out.

    Raises
    ------
    ImportError
        scikit-learn is not installed; the message says how to install it.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise ImportError(
            "the digits come with scikit-learn; install it with: python -m pip install scikit-learn matplotlib"
        ) from error
    images, labels = load_digits(return_X_y=True)
    x, x_test, y, y_test = train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=0)
    scaled = [(part / 16).astype(np.float32) for part in (x, x_test)]
    return Data("scikit-learn's digits, 8 × 8 pixels", scaled[0], y, scaled[1], y_test)


def mnist(folder: str | os.PathLike[str]) -> Data:
    """Load MNIST; its own test images are held out."""
    (x, y), (x_test, y_test) = gg.data.mnist(folder)
    return Data("MNIST, 28 × 28 pixels", x, y, x_test, y_test)


def run(recipe: Recipe, data: Data, out: Path, epochs: int | None = None, seed: int = 0) -> bool:
    """Train with three seeds, race NumPy, write the model and the picture, and print all of it.

    Returns
    -------
    bool
        Whether NumPy's answers are ours.
    """
    began = time.perf_counter()
    epochs = recipe.epochs if epochs is None else epochs
    out.mkdir(parents=True, exist_ok=True)
    print(f"{data.title}: {len(data.x):,} images to train on, {len(data.x_test):,} held out")
    sizes = "-".join(str(size) for size in (data.x.shape[1], *recipe.hidden, 10))
    print(f"{sizes}, ReLU; Adam from {recipe.learning_rate} down to 0; batches of {recipe.batch_size}")
    model_path, picture_path = out / f"{recipe.name}.safetensors", out / f"{recipe.name}.png"
    scores = []
    for number in range(SEEDS):
        model, history, score = _train(recipe, data, epochs, seed + number, loud=number == 0 or recipe is MNIST)
        scores.append(score)
        if number == 0:
            model.save(model_path)
            drawn = _draw(history, picture_path)
    train, test = np.mean(scores, axis=0)
    print(f"mean:    train accuracy {train:7.2%}, test accuracy {test:7.2%}")
    print()
    result = race(recipe, data, seed)
    print(result)
    print()
    print(f"model of seed {seed}    {model_path}")
    print(f"learning curves    {drawn}")
    print(f"whole demo         {duration(time.perf_counter() - began)}")
    return result.same_answers


def _train(
    recipe: Recipe, data: Data, epochs: int, seed: int, *, loud: bool
) -> tuple[gg.Sequential, History, tuple[float, float]]:
    if loud:
        print()
    model = recipe.model(seed)
    trainer = recipe.trainer(model, len(data.x), epochs)
    history = trainer.fit(
        data.x,
        data.y,
        epochs=epochs,
        batch_size=recipe.batch_size,
        validation_data=(data.x_test, data.y_test),
        verbose="auto" if loud else 0,
    )
    train = trainer.evaluate(data.x, data.y)["accuracy"]
    test = trainer.evaluate(data.x_test, data.y_test)["accuracy"]
    print(f"seed {seed}:  train accuracy {train:7.2%}, test accuracy {test:7.2%}, {duration(history.seconds)}")
    return model, history, (train, test)


def _draw(history: History, path: Path) -> str:
    try:
        history.plot(path=path)
    except ImportError as error:
        return f"none, {error}"
    return str(path)


@dataclass(frozen=True)
class Race:
    """The same training by ganglion and by NumPy.

    Attributes
    ----------
    rows, epochs
        Its size.
    seconds, numpy_seconds
        The best round of each; NumPy's with the better of one and all threads.
    threads, numpy_threads
        The teams; NumPy's in words.
    difference
        The largest difference between the losses of an epoch, as a share of the first epoch's.
    """

    rows: int
    epochs: int
    seconds: float
    threads: int
    numpy_seconds: float
    numpy_threads: str
    difference: float

    @property
    def same_answers(self) -> bool:
        """Whether both did the same work."""
        return self.difference <= TOLERANCE

    def __str__(self) -> str:
        if not self.same_answers:
            return f"NumPy's losses lie {self.difference:.1e} apart: not the same work, no comparison of speed"
        samples = self.rows * self.epochs
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        times = "once" if self.epochs == 1 else f"{self.epochs} times"
        lines = [f"the same training, {self.rows:,} images {times}; the losses agree to {self.difference:.0e}:"]
        for name, seconds, team in (
            ("ganglion", self.seconds, threads),
            ("NumPy", self.numpy_seconds, self.numpy_threads),
        ):
            lines.append(f"  {name:<9} {duration(seconds):>8}  {rate(samples, seconds):>16}   {team}")
        return "\n".join([*lines, f"  ganglion is {self.numpy_seconds / self.seconds:.1f} times as fast"])


def race(recipe: Recipe, data: Data, seed: int = 0) -> Race:
    """Let ganglion and NumPy, which has processes of its own, do the same work in turn."""
    x, y = data.x[: recipe.race_rows], data.y[: recipe.race_rows]
    epochs = recipe.race_epochs
    model = recipe.model(seed)
    model.build((x.shape[1],))
    orders = np.stack([shuffle(len(x), seed, epoch) for epoch in range(epochs)])
    work = Work(x, y, orders, model.get_weights(), recipe.batch_size, recipe.learning_rate)
    ours: list[History] = []
    theirs: dict[str, list[Training]] = {"1 thread": [], "all threads": []}
    with ExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "work.npz"
        work.write(path)
        processes = {threads: stack.enter_context(_numpy_process(path, threads)) for threads in theirs}
        for _ in range(ROUNDS):
            trainer = recipe.trainer(recipe.model(seed), len(x), epochs)
            ours.append(trainer.fit(x, y, epochs=epochs, batch_size=recipe.batch_size, verbose=0))
            for threads, process in processes.items():
                theirs[threads].append(_training_of(process))
    best = min(ours, key=lambda history: history.seconds)
    numpy_threads, numpy_best = min(
        ((threads, min(done, key=lambda training: training.seconds)) for threads, done in theirs.items()),
        key=lambda item: item[1].seconds,
    )
    losses = np.array(best.history["loss"])
    others = np.array([training.losses for done in theirs.values() for training in done])
    difference = float(np.max(np.abs(others - losses)) / losses[0])
    team = best.report.team if best.report else 0
    return Race(len(x), epochs, best.seconds, team, numpy_best.seconds, numpy_threads, difference)


def _numpy_process(path: Path, threads: str) -> subprocess.Popen[str]:
    environment = dict(os.environ)
    if threads == "1 thread":
        environment |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "ganglion.demo_numpy", str(path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def _training_of(process: subprocess.Popen[str]) -> Training:
    """Let a NumPy process train once."""
    asked, answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
    asked.write("train\n")
    asked.flush()
    line = answers.readline()
    if not line:
        raise RuntimeError(f"the NumPy process ended with status {process.wait()}; what it said stands above")
    answer: dict[str, Any] = json.loads(line)
    return Training(**answer)
