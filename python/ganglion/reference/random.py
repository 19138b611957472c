"""Random numbers: Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011), a function of a counter and a key, without state.

Every use has a stream of its own; number `element` of a stream is word `element % 4` of the block at the counter
(element / 4, step, epoch, kind · 2²⁴ + index) under the key (low, high word of the seed).
"""

import numpy as np
from numpy.typing import NDArray

from .array import Array, as_float64

INITIAL_WEIGHTS, SHUFFLE, DROPOUT, NOISE = 1, 2, 3, 4

ROUNDS = 10
MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], np.uint64)
KEY_INCREMENTS = np.array([0x9E3779B9, 0xBB67AE85], np.uint64)  # golden ratio and √3 − 1, as fractions of 2³²
WORD = np.uint64(0xFFFFFFFF)
BITS = np.uint64(32)


def philox(counter: NDArray[np.uint32], key: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Compute the blocks of random words at the given counters.

    Parameters
    ----------
    counter
        (n, 4), the least significant word first.
    key
        (2,).

    Returns
    -------
    words
        (n, 4).

    Examples
    --------
    >>> [hex(word) for word in philox(np.zeros((1, 4), np.uint32), np.zeros(2, np.uint32))[0]]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    x0, x1, x2, x3 = counter.astype(np.uint64).T
    k = key.astype(np.uint64)
    for _ in range(ROUNDS):
        product0, product1 = MULTIPLIERS[0] * x0, MULTIPLIERS[1] * x2
        x0, x1, x2, x3 = product1 >> BITS ^ x1 ^ k[0], product1 & WORD, product0 >> BITS ^ x3 ^ k[1], product0 & WORD
        k = k + KEY_INCREMENTS & WORD
    return np.stack([x0, x1, x2, x3], axis=1).astype(np.uint32)


def words(count: int, seed: int, kind: int, index: int = 0, epoch: int = 0, step: int = 0) -> NDArray[np.uint32]:
    """Compute the first `count` words of a stream.

    Examples
    --------
    >>> [hex(word) for word in words(2, seed=0, kind=INITIAL_WEIGHTS)]
    ['0x910223a1', '0x29946dd3']
    """
    counter = np.empty((-(-count // 4), 4), np.uint32)
    counter[:, 0] = np.arange(len(counter))
    counter[:, 1:] = step, epoch, kind << 24 | index
    key = np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint32)
    return philox(counter, key).reshape(-1)[:count]


def uniform(count: int, seed: int, kind: int, index: int = 0, epoch: int = 0, step: int = 0) -> Array:
    """Draw numbers in [0, 1), multiples of 2⁻²⁴: the upper 24 bits of each word.

    Examples
    --------
    >>> uniform(2, seed=0, kind=INITIAL_WEIGHTS).round(4)
    array([0.5664, 0.1624])
    """
    return as_float64(words(count, seed, kind, index, epoch, step) >> np.uint32(8)) * 2.0**-24


def normal(count: int, seed: int, kind: int, index: int = 0, epoch: int = 0, step: int = 0) -> Array:
    """Draw standard normal numbers by the method of Box & Muller 1958.

    Each pair u₁, u₂ of uniforms gives two: √(−2 log(1 − u₁)) times the cosine and the sine of 2π u₂.

    Examples
    --------
    >>> normal(2, seed=0, kind=INITIAL_WEIGHTS).round(4)
    array([0.6761, 1.102 ])
    """
    pairs = uniform(count + count % 2, seed, kind, index, epoch, step).reshape(-1, 2)
    radius = np.sqrt(-2 * np.log(1 - pairs[:, 0]))
    angle = 2 * np.pi * pairs[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)[:count]


def shuffle(rows: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Draw the order in which an epoch takes the rows.

    The method is that of Fisher & Yates (Knuth, The Art of Computer Programming 2, Algorithm 3.4.2P), last place first:
    place i is exchanged with place ⌊word_i (i + 1) / 2³²⌋.

    Examples
    --------
    >>> shuffle(5, seed=0, epoch=0)
    array([3, 4, 1, 2, 0])
    """
    order = np.arange(rows)
    draws = [int(word) for word in words(rows, seed, SHUFFLE, epoch=epoch)]
    for i in range(rows - 1, 0, -1):
        j = draws[i] * (i + 1) >> 32
        order[[i, j]] = order[[j, i]]
    return order
