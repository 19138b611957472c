"""Metrics: numbers for people, not minimised.

Outputs are (B, O). Targets are labels (B,), or rows (B, O). With one output, or where `columns` says so, each output
and each target is a yes or a no; else a row stands for one class.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .array import Array, as_float64


def accuracy(output: Array, targets: ArrayLike, threshold: float = 0.5, columns: bool = False) -> float:
    """Compute the share of rows whose class is that of their target, or of columns with the right yes or no.

    The class of a row is the column of its largest number, the first of equals.

    Examples
    --------
    >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), [1, 1])
    0.5
    """
    said, true = answers(output, targets, threshold, columns)
    return float(np.mean(said == true))


def classes(rows: ArrayLike) -> NDArray[np.int64]:
    """Return the class that each row stands for; of one column, whether it is above ½.

    Examples
    --------
    >>> classes([[0.1, 0.9], [0.8, 0.2]]), classes([[0.1], [0.9]])
    (array([1, 0]), array([0, 1]))
    """
    values = np.asarray(rows)
    if values.ndim == 1 or values.shape[1] == 1:
        return (values.reshape(-1) > 0.5).astype(np.int64)
    return np.asarray(values.argmax(axis=1), np.int64)


def answers(
    output: Array, targets: ArrayLike, threshold: float, columns: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what was said and what is true: classes (B,), or zeros and ones, one for each element.

    Examples
    --------
    >>> answers(np.array([[0.1], [0.9]]), [1, 1], threshold=0.5, columns=False)
    (array([0, 1]), array([1, 1]))
    """
    t = np.asarray(targets)
    if columns or output.shape[1] == 1:
        yes = (output > threshold).astype(np.int64).reshape(-1)
        return yes, (t > 0.5).astype(np.int64).reshape(-1)
    return classes(output), t.astype(np.int64) if t.ndim == 1 else classes(t)


def top_k_accuracy(output: Array, targets: ArrayLike, k: int = 5) -> float:
    """Compute the share of rows whose class is among those of the k largest numbers, the first of equals first.

    Examples
    --------
    >>> top_k_accuracy(np.array([[0.1, 0.5, 0.4], [0.2, 0.1, 0.7]]), [2, 1], k=2)
    0.5
    """
    t = np.asarray(targets)
    labels = t if t.ndim == 1 else classes(t)
    best = np.argsort(-output, axis=1, kind="stable")[:, :k]
    return float(np.mean([label in row for label, row in zip(labels, best, strict=True)]))


def of_classes(
    output: Array,
    targets: ArrayLike,
    threshold: float,
    columns: bool,
    score: Callable[[int, int, int], float],
) -> float:
    """Compute a score of the numbers of found, claimed and existing members of a class.

    The class is "yes", or the second of two; of more, the mean is taken over those that were claimed or exist.

    Examples
    --------
    >>> of_classes(np.eye(3), [0, 1, 1], 0.5, False, lambda found, claimed, existing: found)
    0.6666666666666666
    """
    said, true = answers(output, targets, threshold, columns)
    several = output.shape[1] > 2 and not columns
    chosen = sorted(set(said.tolist()) | set(true.tolist())) if several else [1]
    scores = [
        score(int(np.sum((said == c) & (true == c))), int(np.sum(said == c)), int(np.sum(true == c))) for c in chosen
    ]
    return float(np.mean(scores))


def precision(output: Array, targets: ArrayLike, threshold: float = 0.5, columns: bool = False) -> float:
    """Compute the share of right ones among the rows that were claimed for a class.

    Examples
    --------
    >>> precision(np.array([[0.9], [0.8], [0.1]]), [1, 0, 1])
    0.5
    """
    return of_classes(
        output, targets, threshold, columns, lambda found, claimed, _: found / claimed if claimed else 0.0
    )


def recall(output: Array, targets: ArrayLike, threshold: float = 0.5, columns: bool = False) -> float:
    """Compute the share of found ones among the rows of a class.

    Examples
    --------
    >>> recall(np.array([[0.9], [0.8], [0.1]]), [1, 1, 1])
    0.6666666666666666
    """
    return of_classes(output, targets, threshold, columns, lambda found, _, there: found / there if there else 0.0)


def f1(output: Array, targets: ArrayLike, threshold: float = 0.5, columns: bool = False) -> float:
    """Compute the harmonic mean of a class's precision and recall.

    Examples
    --------
    >>> f1(np.array([[0.9], [0.8], [0.1]]), [1, 0, 0])
    0.6666666666666666
    """

    def score(found: int, claimed: int, there: int) -> float:
        return 2 / (claimed / found + there / found) if found else 0.0

    return of_classes(output, targets, threshold, columns, score)


def auc(output: Array, targets: ArrayLike) -> float:
    """Compute the share of the pairs of a positive and a negative row in which the positive one scores higher.

    A tie is half a pair. The score is the output, or the second less the first.

    Examples
    --------
    >>> auc(np.array([[0.1], [0.4], [0.4], [0.8]]), [0, 0, 1, 1])
    0.875
    """
    _, positive = answers(output, targets, 0.5, columns=False)
    score = output[:, 0] if output.shape[1] == 1 else output[:, 1] - output[:, 0]
    differences = score[positive == 1][:, None] - score[positive == 0][None, :]
    return float(np.mean((differences > 0) + (differences == 0) / 2)) if differences.size else float("nan")


def mean_absolute_error(output: Array, targets: ArrayLike) -> float:
    """Compute the mean of |y − t|.

    Examples
    --------
    >>> mean_absolute_error(np.array([[1.0], [4.0]]), [[2.0], [2.0]])
    1.5
    """
    return float(np.mean(np.abs(output - as_float64(targets))))


def mean_squared_error(output: Array, targets: ArrayLike) -> float:
    """Compute the mean of (y − t)².

    Examples
    --------
    >>> mean_squared_error(np.array([[1.0], [4.0]]), [[2.0], [2.0]])
    2.5
    """
    return float(np.mean((output - as_float64(targets)) ** 2))


def r2(output: Array, targets: ArrayLike) -> float:
    """Compute the share of the targets' variance that the outputs explain, the mean over the columns.

    Examples
    --------
    >>> r2(np.array([[1.0], [2.0], [2.0]]), [[1.0], [2.0], [3.0]])
    0.5
    """
    t = as_float64(targets)
    unexplained = np.sum((t - output) ** 2, axis=0)
    variance = np.sum((t - t.mean(axis=0)) ** 2, axis=0)
    shares = [
        1 - rest / all_ if all_ > 0 else float(rest == 0) for rest, all_ in zip(unexplained, variance, strict=True)
    ]
    return float(np.mean(shares))


METRICS: dict[str, Callable[..., float]] = {
    "accuracy": accuracy,
    "top_k_accuracy": top_k_accuracy,
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "auc": auc,
    "mae": mean_absolute_error,
    "mse": mean_squared_error,
    "r2": r2,
}
