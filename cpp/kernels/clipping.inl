// Gradients held within bounds, and the squares that their norm is the root of.

// A row's Σ x² in double: 16 lanes of fused multiply-adds over x converted to double, then the tree.
template <class T> void row_squares(MatrixView<const T> x, double *out) {
    constexpr Index width = Vec<double>::width, parts = sum_lanes / width;
    for (Index r = 0; r < x.rows; ++r) {
        const T *row = x.data + r * x.stride;
        Vec<double> lanes[size_t{parts}];
#pragma GCC unroll 16
        for (Index part = 0; part < parts; ++part) lanes[part] = Vec<double>::zero();
        double block[size_t{sum_lanes}];
        for (Index first = 0; first < x.columns; first += sum_lanes) {
            const Index n = x.columns - first;
            if (n >= sum_lanes)
                for (Index l = 0; l < sum_lanes; ++l) block[l] = static_cast<double>(row[first + l]);
            else
                for (Index l = 0; l < sum_lanes; ++l) block[l] = l < n ? static_cast<double>(row[first + l]) : 0;
#pragma GCC unroll 16
            for (Index part = 0; part < parts; ++part) {
                const Vec<double> v = Vec<double>::load(block + part * width);
                lanes[part] = fma(v, v, lanes[part]); // beyond the row's end: + 0, which changes nothing
            }
        }
        out[r] = tree(lanes);
    }
}

// out = g · scale, then within ± bound
template <class T> void clip(MatrixView<const T> g, MatrixView<T> out, T scale, T bound) {
    const Vec<T> factor = Vec<T>::broadcast(scale), high = Vec<T>::broadcast(bound), low = -high;
    for (Index r = 0; r < g.rows; ++r) {
        const T *from = g.data + r * g.stride;
        T *to = out.data + r * out.stride;
        sweep<T>(g.columns, [&](Index j, auto last) {
            const Index n = g.columns - j;
            const Vec<T> v = load_row(from + j, n, last) * factor;
            store_row(select(high < v, high, select(v < low, low, v)), to + j, n, last);
        });
    }
}
