// Regularizers of the scalar set.

// Σ |x| of each row in double.
template <class T> void row_magnitudes(const MatrixView<const T> &x, double *out) {
    for (Index r = 0; r < x.rows; ++r)
        out[r] = row_sum<double>(x.columns, [&](double lane, Index j) { return lane + magnitude(static_cast<double>(row_of(x, r)[j])); });
}

template <class T> void penalize(const MatrixView<T> &g, const MatrixView<const T> &w, T l1, T slope) {
    for (Index r = 0; r < g.rows; ++r)
        for (Index c = 0; c < g.columns; ++c) {
            const T weight = row_of(w, r)[c];
            row_of(g, r)[c] = soft_fma(slope, weight, row_of(g, r)[c]) + (weight > 0 ? l1 : weight < 0 ? -l1 : T(0));
        }
}
