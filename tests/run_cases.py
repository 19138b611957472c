"""A small network and data for whole runs of the core, and the digest of what a run left."""

import hashlib

import numpy as np

from ganglion import _ganglion_core as core

SETS = [info.name for info in core.kernel_sets() if info.supported]
TEAMS = [1, 2, 3, 7]
PLANS = {
    "rows": ("rows", "update"),
    "layers": ("gather", "forward", "forward", "output", "backward", "update"),
    "stored": ("rows", "gradients", "apply"),
}
LAYERS_ALONE = ("gather", "forward", "forward", "forward", "loss", "backward", "backward", "update")  # one thread's
WITH_LABELS = ("cross_entropy", "categorical_crossentropy")
WIDTHS = [37, 50, 40, 7]


def network(widths=WIDTHS, activation="tanh", dtype="float32", last="identity"):
    names = [activation] * (len(widths) - 2) + [last]
    layers = [
        core.Dense(f"dense_{i}", units, True, name, 0.01, "glorot_uniform", "zeros")
        for i, (units, name) in enumerate(zip(widths[1:], names, strict=True))
    ]
    return core.Network(widths[0], layers, dtype, 3)


def training(net, *, loss="cross_entropy", optimizer="adam", rate=1e-3, metrics=("accuracy",), **more):
    target = "labels" if loss in WITH_LABELS else "values"
    schedule = core.Schedule("linear", rate, rate / 10, 150)
    described = core.Loss(loss, 0.5 if loss == "huber" else 0.0)
    return core.Training(net, described, target, core.Optimizer(optimizer, **more), schedule, list(metrics))


def data(rows, dtype="float32", widths=WIDTHS):
    """Multiples of 2⁻²³ in [-1, 1) and labels: a golden digest must not hang on NumPy's generators."""
    words = np.arange(1, rows * (widths[0] + 1) + 1, dtype=np.uint64) * 0x9E3779B97F4A7C15
    words = (words ^ (words >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) >> np.uint64(40)
    x = (words[: rows * widths[0]].astype(np.float64) * 2.0**-23 - 1).reshape(rows, widths[0])
    return x.astype(dtype), (words[rows * widths[0] :] % widths[-1]).astype(np.int32)


def digest(net):
    return hashlib.sha256(b"".join(np.ascontiguousarray(p).tobytes() for p in net.parameters())).hexdigest()


def train(kernel_set, team, plan, *, dtype="float32", rows=1000, batch=300, steps=200, **more):
    net = network(dtype=dtype)
    report = training(net, **more).run(
        core.Context(kernel_set, team),
        core.Feed(*data(rows, dtype)),
        batch_size=batch,
        steps=steps,
        shuffle=True,
        plan=plan,
    )
    assert (report.kernel_set, report.team, report.steps) == (kernel_set, team, steps)
    assert plan == "auto" or report.plan == (LAYERS_ALONE if (plan, team) == ("layers", 1) else PLANS[plan])
    return digest(net), report
