"""The reference against known answers and properties; its gradients are in test_gradients.py."""

import math
import statistics

import numpy as np
import pytest

from ganglion import reference

# From the file kat_vectors of Random123: counter, key and block of philox4x32 with 10 rounds.
PHILOX_ANSWERS = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def hexadecimal(text):
    return np.array([int(word, 16) for word in text.split()], np.uint32)


@pytest.mark.parametrize(("counter", "key", "block"), PHILOX_ANSWERS)
def test_philox_gives_the_published_answers(counter, key, block):
    counters = np.stack([np.zeros(4, np.uint32), hexadecimal(counter)])
    assert np.array_equal(reference.philox(counters, hexadecimal(key))[1], hexadecimal(block))


def test_a_stream_is_the_blocks_at_its_counters():
    seed, epoch, step, index = 0x123456789ABCDEF0, 7, 9, 5
    words = reference.words(10, seed, kind=3, index=index, epoch=epoch, step=step)
    counters = np.array([[block, step, epoch, 3 * 2**24 + index] for block in range(3)], np.uint32)
    blocks = reference.philox(counters, np.array([0x9ABCDEF0, 0x12345678], np.uint32))
    assert np.array_equal(words, blocks.reshape(-1)[:10])


@pytest.mark.parametrize("change", [{"seed": 2}, {"seed": 2**32}, {"kind": 2}, {"index": 1}, {"epoch": 1}, {"step": 1}])
def test_streams_differ(change):
    same = {"seed": 0, "kind": 1}
    assert (reference.words(64, **same) != reference.words(64, **(same | change))).all()


def test_uniform_numbers_fill_the_unit_interval():
    u = np.sort(reference.uniform(10_000, seed=1, kind=4))
    assert u[0] >= 0
    assert u[-1] < 1
    assert np.array_equal(u * 2**24, np.round(u * 2**24))
    # Kolmogorov & Smirnov: the distance from the uniform distribution is below 1.63/√n in 99 of 100 samples.
    assert np.abs(u - (np.arange(10_000) + 0.5) / 10_000).max() < 1.63 / 100


def test_normal_numbers_are_distributed_normally():
    z = np.sort(reference.normal(10_000, seed=1, kind=4))
    distribution = np.array([statistics.NormalDist().cdf(value) for value in z])
    assert np.abs(distribution - (np.arange(10_000) + 0.5) / 10_000).max() < 1.63 / 100


def test_normal_numbers_of_a_pair_are_independent():
    pairs = reference.normal(20_000, seed=1, kind=4).reshape(-1, 2)
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 3 / math.sqrt(10_000)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 100, 1001])
def test_a_shuffle_is_a_permutation(rows):
    assert np.array_equal(np.sort(reference.shuffle(rows, seed=3, epoch=0)), np.arange(rows))


def test_shuffles_are_equally_likely():
    orders = [tuple(reference.shuffle(3, seed, epoch=0)) for seed in range(6000)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 6
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 15.1  # χ² of 5 degrees of freedom, 99 %


@pytest.mark.parametrize(
    ("name", "inputs", "outputs", "variance"),
    [
        ("glorot_uniform", 300, 100, 2 / 400),
        ("glorot_normal", 300, 100, 2 / 400),
        ("he_uniform", 300, 100, 2 / 300),
        ("he_normal", 300, 100, 2 / 300),
        ("fan_in_uniform", 300, 100, 1 / 900),
    ],
)
def test_initializers_have_the_variance_of_their_papers(name, inputs, outputs, variance):
    w = reference.initialize(name, inputs, outputs, seed=0, index=0)
    assert w.shape == (inputs, outputs)
    assert abs(w.mean()) < 3 * math.sqrt(variance / w.size)
    assert abs(w.var() / variance - 1) < 0.03  # three deviations of the variance of 30,000 normal numbers
    if name.endswith("uniform"):
        assert 0.999 < np.abs(w).max() / math.sqrt(3 * variance) <= 1


def test_zeros_are_zero():
    assert not reference.initialize("zeros", 3, 4, seed=0, index=0).any()


# Worked out from the digits of e: 1/(1 + 1/e), (e² − 1)/(e² + 1), (1/e − 1)/4.
@pytest.mark.parametrize(
    ("name", "z", "h"),
    [
        ("identity", -1.5, -1.5),
        ("sigmoid", 1.0, 0.731058578630005),
        ("sigmoid", -1.0, 0.268941421369995),
        ("tanh", 1.0, 0.761594155955765),
        ("relu", -1.0, 0.0),
        ("relu", 1.5, 1.5),
        ("leaky_relu", -1.0, -0.25),
        ("leaky_relu", 1.5, 1.5),
        ("elu", -1.0, -0.158030139707139),
        ("elu", 1.5, 1.5),
        ("selu", -1.0, -1.111330737812562),
        ("softplus", 1.0, 1.313261687518223),
        ("softplus", -1.0, 0.313261687518223),
        ("swish", 1.0, 0.731058578630005),
        ("swish", -1.0, -0.268941421369995),
        ("gelu", 1.0, 0.841344746068543),
        ("gelu", -1.0, -0.158655253931457),
        ("gelu_tanh", 1.0, 0.841191990607477),
        ("step", 0.0, 0.0),
        ("step", 1e-9, 1.0),
    ],
)
def test_activations_have_known_values(name, z, h):
    row = reference.ACTIVATIONS[name]
    options = dict.fromkeys(row.options, 0.25)
    assert row.function(np.array([[z]]), **options)[0, 0] == pytest.approx(h, rel=1e-14)


def test_softmax_has_known_values():
    assert reference.softmax(np.log([[1.0, 2.0, 5.0]])) == pytest.approx(np.array([[1, 2, 5]]) / 8, rel=1e-15)


@pytest.mark.parametrize("name", reference.ACTIVATIONS)
def test_activations_keep_their_limits(name):
    row = reference.ACTIVATIONS[name]
    options = dict.fromkeys(row.options, 0.25)
    z = np.array([[-1e4, -710.0, -0.0, 0.0, 710.0, 1e4]])
    assert np.isfinite(row.function(z, **options)).all()
    assert row.backward is None or np.isfinite(row.backward(np.ones_like(z), z, **options)).all()


@pytest.mark.parametrize("name", reference.ACTIVATIONS)
def test_activations_pass_on_a_nan(name):
    row = reference.ACTIVATIONS[name]
    assert np.isnan(row.function(np.array([[np.nan]]), **dict.fromkeys(row.options, 0.25))).all()


@pytest.mark.parametrize("shift", [-1e4, 1e4])
def test_softmax_ignores_a_shift(shift):
    z = 2.0 ** np.arange(-3, 5).reshape(2, 4)  # exact after the shift, but for its last bits
    assert reference.softmax(z + shift) == pytest.approx(reference.softmax(z), rel=1e-10)


@pytest.mark.parametrize("shift", [-1e4, 1e4])
def test_cross_entropy_ignores_a_shift(shift):
    z = 2.0 ** np.arange(-3, 5).reshape(2, 4)
    loss, gradient = reference.cross_entropy(z, [1, 3])
    shifted_loss, shifted_gradient = reference.cross_entropy(z + shift, [1, 3])
    assert shifted_loss == pytest.approx(loss, rel=1e-10)
    assert shifted_gradient == pytest.approx(gradient, rel=1e-10)


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
@pytest.mark.parametrize("level", [0.0, -1e4, 1e4])
def test_cross_entropy_of_equal_logits_is_log_n(n, level):
    loss, gradient = reference.cross_entropy(np.full((2, n), level), [0, n - 1])
    assert loss == pytest.approx(math.log(n), rel=1e-15)
    assert gradient[0, 0] == pytest.approx((1 / n - 1) / 2)


def test_cross_entropy_of_a_hopeless_row_is_the_gap():
    assert reference.cross_entropy(np.array([[1e4, -1e4]]), [1])[0] == pytest.approx(2e4, rel=1e-15)


def test_labels_mean_their_one_hot_rows():
    logits, labels = reference.normal(12, 0, 4).reshape(3, 4), np.array([3, 0, 2])
    loss, gradient = reference.cross_entropy(logits, labels)
    other_loss, other_gradient = reference.cross_entropy(logits, reference.one_hot(labels, 4))
    assert loss == other_loss
    assert np.array_equal(gradient, other_gradient)


def test_cross_entropy_is_smallest_at_the_distribution_itself():
    p = np.array([[0.2, 0.3, 0.5]])
    loss, gradient = reference.cross_entropy(np.log(p), p)
    assert loss == pytest.approx(-(p * np.log(p)).sum())
    assert gradient == pytest.approx(0, abs=1e-16)


def test_mse_of_known_rows():
    loss, gradient = reference.mse(np.array([[1.0, 2.0], [3.0, 4.0]]), [[1, 0], [0, 0]])
    assert loss == 29 / 4
    assert np.array_equal(gradient, np.array([[0, 1], [1.5, 2]]))


@pytest.mark.parametrize(
    ("output", "targets", "expected"),
    [
        ([[1, 2], [2, 1], [1, 1]], [1, 0, 0], 1.0),
        ([[1, 2], [2, 1], [1, 1]], [0, 1, 1], 0.0),
        ([[1, 2], [2, 1]], [[0, 1], [0, 1]], 0.5),
        ([[0.4], [0.6]], [0, 1], 1.0),
        ([[0.4], [0.6]], [[1], [1]], 0.5),
    ],
)
def test_accuracy(output, targets, expected):
    assert reference.accuracy(np.array(output, float), targets) == expected


# The path of w from 1 under gradients g = 2, 2, 2, worked out by hand; Adam's m̂ and v̂ are then 2 and 4 at every step.
@pytest.mark.parametrize(
    ("name", "options", "path"),
    [
        ("sgd", {}, [0.8, 0.6, 0.4]),
        ("sgd", {"weight_decay": 0.5}, [0.75, 0.5125, 0.286875]),
        ("momentum", {"momentum": 0.5}, [0.8, 0.5, 0.15]),
        ("nesterov", {"momentum": 0.5}, [0.7, 0.35, -0.025]),
        ("adam", {"epsilon": 2.0}, [0.95, 0.9, 0.85]),
        ("adamw", {"epsilon": 2.0, "weight_decay": 0.5}, [0.9, 0.805, 0.71475]),
        ("rmsprop", {"rho": 0.75, "epsilon": 1.0}, [0.9, 0.9 - 0.2 / (1.75**0.5 + 1)]),
        ("rmsprop_momentum", {"rho": 0.0, "momentum": 0.5, "epsilon": 2.0}, [0.95, 0.875, 0.7875]),
        ("adagrad", {"initial_accumulator": 5.0, "epsilon": 1.0}, [0.95, 0.95 - 0.2 / (13**0.5 + 1)]),
    ],
)
def test_optimizers_take_known_steps(name, options, path):
    optimizer = reference.OPTIMIZERS[name](learning_rate=0.1, **options)
    w = np.array([1.0])
    for expected in path:
        optimizer.update([w], [np.array([2.0])])
        assert w[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", sorted(set(reference.OPTIMIZERS) - {"adamw"}))
def test_weight_decay_is_part_of_the_gradient(name):
    make = reference.OPTIMIZERS[name]
    decayed, plain = np.array([1.0, -2.0]), np.array([1.0, -2.0])
    with_decay, without_decay = make(learning_rate=0.1, weight_decay=0.5), make(learning_rate=0.1)
    for g in ([1.0, 2.0], [-3.0, 0.5]):
        without_decay.update([plain], [np.array(g) + 0.5 * plain])
        with_decay.update([decayed], [np.array(g)])
        assert np.array_equal(decayed, plain)


def test_decoupled_weight_decay_is_no_part_of_the_gradient():
    decayed, plain = np.array([1.0, -2.0]), np.array([1.0, -2.0])
    with_decay, adam = reference.AdamW(learning_rate=0.1, weight_decay=0.5), reference.Adam(learning_rate=0.1)
    for g in ([1.0, 2.0], [-3.0, 0.5]):
        plain *= 0.95
        adam.update([plain], [np.array(g)])
        with_decay.update([decayed], [np.array(g)])
        assert np.array_equal(decayed, plain)


@pytest.mark.parametrize("name", reference.OPTIMIZERS)
def test_optimizers_follow_the_schedule(name):
    make = reference.OPTIMIZERS[name]
    scheduled, stopped = np.array([1.0]), np.array([1.0])
    make(learning_rate=reference.Linear(0.1, 0.0, 1)).update([scheduled], [np.array([2.0])])
    optimizer = make(learning_rate=reference.Linear(0.1, 0.0, 1))
    for _ in range(3):
        optimizer.update([stopped], [np.array([2.0])])
    assert scheduled[0] == stopped[0] < 1


def test_schedules():
    assert [reference.Constant(0.5)(step) for step in (0, 10**9)] == [0.5, 0.5]
    linear = reference.Linear(1.0, 0.2, 4)
    assert [linear(step) for step in (0, 1, 3, 4, 5)] == pytest.approx([1.0, 0.8, 0.4, 0.2, 0.2])


def test_batches_take_every_row_once():
    taken = list(reference.batches(10, 4, seed=0, epoch=2, shuffle=True))
    assert [len(rows) for rows in taken] == [4, 4, 2]
    assert np.array_equal(np.concatenate(taken), reference.shuffle(10, seed=0, epoch=2))


def test_training_reports_the_mean_over_rows():
    x = np.array([[1.0], [2.0], [4.0]])
    model = reference.Sequential([reference.Dense(np.zeros((1, 1)))])
    still = reference.SGD(learning_rate=0.0)
    losses = reference.train(model, x, x, loss="mse", optimizer=still, batch_size=2, shuffle=False)
    assert losses.steps == [2.5, 16.0]
    assert losses.epochs == [7.0]


def test_training_goes_down_the_gradient():
    x = reference.normal(60, 0, 4).reshape(20, 3)
    kernel = np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.0]])
    model = reference.Sequential([reference.Dense(np.zeros((3, 2)), np.zeros(2))])
    sgd = reference.SGD(learning_rate=0.2)
    losses = reference.train(model, x, x @ kernel + 1, loss="mse", optimizer=sgd, epochs=200, batch_size=8)
    assert losses.epochs[-1] < 1e-12 < losses.epochs[0]
    assert model.parameters[0] == pytest.approx(kernel, abs=1e-5)
