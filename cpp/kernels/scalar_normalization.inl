// Normalization of the scalar set: x̂ of columns over a batch, or of a row over its columns.

template <class T> void squares(const MatrixView<const T> &x, const T *mean, T *out) {
    for (Index c = 0; c < x.columns; ++c) {
        out[c] = 0;
        for (Index r = 0; r < x.rows; ++r) {
            const T centred = row_of(x, r)[c] - mean[c];
            out[c] = soft_fma(centred, centred, out[c]);
        }
    }
}

template <class T> void products(const MatrixView<const T> &d, const MatrixView<const T> &x, T *out) {
    for (Index c = 0; c < d.columns; ++c) {
        out[c] = 0;
        for (Index r = 0; r < d.rows; ++r) out[c] = soft_fma(row_of(d, r)[c], row_of(x, r)[c], out[c]);
    }
}

template <class T>
void normalize_columns(const MatrixView<const T> &x, const T *mean, const T *root, const T *gamma, const MatrixView<T> &normalized,
                       const MatrixView<T> &z) {
    for (Index r = 0; r < x.rows; ++r)
        for (Index c = 0; c < x.columns; ++c) {
            const T v = flushed((row_of(x, r)[c] - mean[c]) * root[c]);
            row_of(normalized, r)[c] = v;
            row_of(z, r)[c] = gamma ? gamma[c] * v : v;
        }
}

template <class T>
void normalize_columns_backward(const MatrixView<const T> &dz, const MatrixView<const T> &normalized, const T *factor, const T *shift,
                                const T *slope, const MatrixView<T> &dx) {
    for (Index r = 0; r < dz.rows; ++r)
        for (Index c = 0; c < dz.columns; ++c)
            row_of(dx, r)[c] = factor[c] * soft_fma(-row_of(normalized, r)[c], slope[c], row_of(dz, r)[c] - shift[c]);
}

template <class T>
T normalize_rows(const MatrixView<const T> &x, T epsilon, const T *gamma, const MatrixView<T> &normalized, T *roots,
                 const MatrixView<T> &z) {
    const T columns = static_cast<T>(x.columns);
    T check = 0;
    for (Index r = 0; r < x.rows; ++r) {
        const T *from = row_of(x, r);
        const T mean = row_sum<T>(x.columns, [=](T lane, Index j) { return lane + from[j]; }) / columns;
        const T variance = row_sum<T>(x.columns, [=](T lane, Index j) { return soft_fma(from[j] - mean, from[j] - mean, lane); }) / columns;
        roots[r] = T(1) / square_root(variance + epsilon);
        check = check + (variance - variance);
        for (Index c = 0; c < x.columns; ++c) {
            const T v = flushed((from[c] - mean) * roots[r]);
            row_of(normalized, r)[c] = v;
            row_of(z, r)[c] = gamma ? gamma[c] * v : v;
        }
    }
    return check;
}

template <class T>
void normalize_rows_backward(const MatrixView<const T> &dz, const MatrixView<const T> &normalized, const T *roots, const T *gamma,
                             const MatrixView<T> &dx) {
    const T columns = static_cast<T>(dz.columns);
    for (Index r = 0; r < dz.rows; ++r) {
        const T *n = row_of(normalized, r), *d = row_of(dz, r);
        const auto g = [=](Index j) { return gamma ? d[j] * gamma[j] : d[j]; };
        const T shift = row_sum<T>(dz.columns, [=](T lane, Index j) { return lane + g(j); }) / columns;
        const T slope = row_sum<T>(dz.columns, [=](T lane, Index j) { return soft_fma(g(j), n[j], lane); }) / columns;
        for (Index c = 0; c < dz.columns; ++c) row_of(dx, r)[c] = roots[r] * soft_fma(-n[c], slope, g(c) - shift);
    }
}

template <class T>
constexpr NormalizationKernels<T> normalization = {
    squares<T>, products<T>, normalize_columns<T>, normalize_columns_backward<T>, normalize_rows<T>, normalize_rows_backward<T>};
