// Clipping of the scalar set, and the squares of a norm.

// Σ x² of each row in double.
template <class T> void row_squares(const MatrixView<const T> &x, double *out) {
    for (Index r = 0; r < x.rows; ++r)
        out[r] = row_sum<double>(x.columns, [&](double lane, Index j) {
            const double v = static_cast<double>(row_of(x, r)[j]);
            return soft_fma(v, v, lane);
        });
}

template <class T> void clip(const MatrixView<const T> &g, const MatrixView<T> &out, T scale, T bound) {
    for (Index r = 0; r < g.rows; ++r)
        for (Index c = 0; c < g.columns; ++c) {
            const T v = row_of(g, r)[c] * scale;
            row_of(out, r)[c] = v > bound ? bound : v < -bound ? -bound : v;
        }
}
