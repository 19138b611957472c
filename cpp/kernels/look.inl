// The largest magnitude of A, looked for beside a product's arithmetic: the lines are in L1, and pipes that the arithmetic leaves idle do
// it. In a pass of its own it took 7 of the 165 µs that a step of 784-50-10 on 100 rows takes on one thread of Zen 4, here it takes 1.

// Not with 16 registers, of which the look takes some from the tile: 784-25-10 on 100 rows took 3 % longer with AVX2.
constexpr bool may_look = vector_registers >= 32;

// Raises `lanes` to the magnitudes of R rows' next elements, a vector of each or, where there are fewer, n.
template <class T, int R, class Row> [[gnu::always_inline]] inline void look(T *lanes, Index n, Row row) {
    Largest<T> largest{as_bits(Vec<T>::load(lanes))};
    if (n >= Vec<T>::width) {
#pragma GCC unroll 32
        for (int r = 0; r < R; ++r) largest.add(Vec<T>::load(row(r)));
    } else {
#pragma GCC unroll 32
        for (int r = 0; r < R; ++r) largest.add(Vec<T>::load(row(r), n));
    }
    as_float(largest.bits).store(lanes);
}
