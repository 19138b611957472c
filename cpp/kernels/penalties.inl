// Regularizers: what l1 Σ |w| + l2 Σ w² adds to a gradient, and the magnitudes to sum.

// A row's Σ |x| in double: 16 lanes over x converted to double, then the tree.
template <class T> void row_magnitudes(const MatrixView<const T> &x, double *out) {
    row_sums_in_double(x, out, [](Vec<double> v, Vec<double> lane) { return lane + abs(v); });
}

// g ← slope · w + g in one rounding, then + l1 · sign(w), + 0 where w is 0
template <class T> void penalize(const MatrixView<T> &g, const MatrixView<const T> &w, T l1, T slope) {
    const Vec<T> step = Vec<T>::broadcast(l1), factor = Vec<T>::broadcast(slope), zero = Vec<T>::zero();
    for (Index r = 0; r < g.rows; ++r) {
        T *to = g.data + r * g.stride;
        const T *from = w.data + r * w.stride;
        sweep<T>(g.columns, [&](Index j, auto last) {
            const Index n = g.columns - j;
            const Vec<T> weight = load_row(from + j, n, last);
            const Vec<T> sign = select(zero < weight, step, select(weight < zero, -step, zero));
            store_row(fma(factor, weight, load_row(to + j, n, last)) + sign, to + j, n, last);
        });
    }
}
