// Normalization: statistics of columns over a leaf's rows, of a row over its columns, and what they make of x and of dz.

// One chain per column, chain(sum, r, j, last) adding row r: up to 8 vectors of columns at a time, so that the chains overlap.
template <class T, Index vectors, class Chain> Index chains(Index rows, Index columns, T *out, Index j, Chain chain) {
    constexpr Index width = Vec<T>::width;
    for (; j + vectors * width <= columns; j += vectors * width) {
        Vec<T> sum[size_t{vectors}];
#pragma GCC unroll 8
        for (Index v = 0; v < vectors; ++v) sum[v] = Vec<T>::zero();
        for (Index r = 0; r < rows; ++r)
#pragma GCC unroll 8
            for (Index v = 0; v < vectors; ++v) sum[v] = chain(sum[v], r, j + v * width, Choice<false>{});
#pragma GCC unroll 8
        for (Index v = 0; v < vectors; ++v) sum[v].store(out + j + v * width);
    }
    return j;
}

template <class T, class Chain> void column_chains(Index rows, Index columns, T *out, Chain chain) {
    const Index j = chains<T, 1>(rows, columns, out, chains<T, 8>(rows, columns, out, 0, chain), chain);
    if (j == columns) return;
    Vec<T> sum = Vec<T>::zero();
    for (Index r = 0; r < rows; ++r) sum = chain(sum, r, j, Choice<true>{});
    sum.store(out + j, columns - j);
}

template <class T> void squares(const MatrixView<const T> &x, const T *mean, T *out) {
    column_chains(x.rows, x.columns, out, [=](Vec<T> sum, Index r, Index j, auto last) {
        const Index n = x.columns - j;
        const Vec<T> centred = load_row(x.data + r * x.stride + j, n, last) - load_row(mean + j, n, last);
        return fma(centred, centred, sum);
    });
}

template <class T> void products(const MatrixView<const T> &d, const MatrixView<const T> &x, T *out) {
    column_chains(d.rows, d.columns, out, [=](Vec<T> sum, Index r, Index j, auto last) {
        const Index n = d.columns - j;
        return fma(load_row(d.data + r * d.stride + j, n, last), load_row(x.data + r * x.stride + j, n, last), sum);
    });
}

template <class T>
void normalize_columns(const MatrixView<const T> &x, const T *mean, const T *root, const T *gamma, const MatrixView<T> &normalized,
                       const MatrixView<T> &z) {
    for (Index r = 0; r < x.rows; ++r) {
        const T *from = x.data + r * x.stride;
        T *to = normalized.data + r * normalized.stride, *zr = z.data + r * z.stride;
        sweep<T>(x.columns, [&](Index j, auto last) {
            const Index n = x.columns - j;
            const Vec<T> v = flushed((load_row(from + j, n, last) - load_row(mean + j, n, last)) * load_row(root + j, n, last));
            store_row(v, to + j, n, last);
            store_row(gamma ? load_row(gamma + j, n, last) * v : v, zr + j, n, last);
        });
    }
}

template <class T>
void normalize_columns_backward(const MatrixView<const T> &dz, const MatrixView<const T> &normalized, const T *factor, const T *shift,
                                const T *slope, const MatrixView<T> &dx) {
    for (Index r = 0; r < dz.rows; ++r) {
        const T *from = dz.data + r * dz.stride, *nr = normalized.data + r * normalized.stride;
        T *to = dx.data + r * dx.stride;
        sweep<T>(dz.columns, [&](Index j, auto last) {
            const Index n = dz.columns - j;
            const Vec<T> shifted = load_row(from + j, n, last) - load_row(shift + j, n, last);
            const Vec<T> v = fma(-load_row(nr + j, n, last), load_row(slope + j, n, last), shifted);
            store_row(load_row(factor + j, n, last) * v, to + j, n, last);
        });
    }
}

template <class T>
T normalize_rows(const MatrixView<const T> &x, T epsilon, const T *gamma, const MatrixView<T> &normalized, T *roots,
                 const MatrixView<T> &z) {
    const T columns = static_cast<T>(x.columns);
    T check = 0;
    for (Index r = 0; r < x.rows; ++r) {
        const T *from = x.data + r * x.stride;
        T *to = normalized.data + r * normalized.stride, *zr = z.data + r * z.stride;
        const Index n = x.columns;
        const Vec<T> mean = Vec<T>::broadcast(
            row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) { return lane + load_row(from + j, n - j, last); }) / columns);
        const T variance = row_sum<T>(n,
                                      [=](Vec<T> lane, Index j, auto last) {
                                          const Vec<T> centred = load_row(from + j, n - j, last) - mean;
                                          return fma(centred, centred, lane);
                                      }) /
                           columns;
        const Vec<T> root = Vec<T>::broadcast(1) / sqrt(Vec<T>::broadcast(variance) + Vec<T>::broadcast(epsilon));
        roots[r] = first_lane(root);
        check = check + (variance - variance);
        sweep<T>(n, [&](Index j, auto last) {
            const Vec<T> v = flushed((load_row(from + j, n - j, last) - mean) * root);
            store_row(v, to + j, n - j, last);
            store_row(gamma ? load_row(gamma + j, n - j, last) * v : v, zr + j, n - j, last);
        });
    }
    return check;
}

template <class T>
void normalize_rows_backward(const MatrixView<const T> &dz, const MatrixView<const T> &normalized, const T *roots, const T *gamma,
                             const MatrixView<T> &dx) {
    const T columns = static_cast<T>(dz.columns);
    const Index n = dz.columns;
    for (Index r = 0; r < dz.rows; ++r) {
        const T *from = dz.data + r * dz.stride, *nr = normalized.data + r * normalized.stride;
        T *to = dx.data + r * dx.stride;
        const auto g = [=](Index j, auto last) {
            const Vec<T> d = load_row(from + j, n - j, last);
            return gamma ? d * load_row(gamma + j, n - j, last) : d;
        };
        const Vec<T> shift = Vec<T>::broadcast(row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) { return lane + g(j, last); }) / columns);
        const Vec<T> slope = Vec<T>::broadcast(
            row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) { return fma(g(j, last), load_row(nr + j, n - j, last), lane); }) / columns);
        const Vec<T> root = Vec<T>::broadcast(roots[r]);
        sweep<T>(n, [&](Index j, auto last) {
            store_row(root * fma(-load_row(nr + j, n - j, last), slope, g(j, last) - shift), to + j, n - j, last);
        });
    }
}

template <class T>
constexpr NormalizationKernels<T> normalization = {
    squares<T>, products<T>, normalize_columns<T>, normalize_columns_backward<T>, normalize_rows<T>, normalize_rows_backward<T>};
