// Gradients held within bounds, and the squares that their norm is the root of.

// Numbers that lie one after the other, as doubles. Through an array in memory a wide load would wait for the narrow stores.
[[gnu::always_inline]] inline Vec<double> load_doubles(const double *from) { return Vec<double>::load(from); }
[[gnu::always_inline]] inline Vec<double> load_doubles(const float *from) {
    typedef float Floats __attribute__((vector_size(Vec<double>::width * sizeof(float))));
    typedef double Doubles __attribute__((vector_size(Vec<double>::width * sizeof(double))));
    Floats floats;
    __builtin_memcpy(&floats, from, sizeof floats);
    return {(decltype(Vec<double>::native))__builtin_convertvector(floats, Doubles)};
}

// A sum of each row in double: 16 lanes over x converted to double, lane = step(x, lane), then the tree.
template <class T, class Step> [[gnu::always_inline]] inline void row_sums_in_double(const MatrixView<const T> &x, double *out, Step step) {
    constexpr Index width = Vec<double>::width, parts = sum_lanes / width;
    for (Index r = 0; r < x.rows; ++r) {
        const T *row = x.data + r * x.stride;
        Vec<double> lanes[size_t{parts}];
#pragma GCC unroll 16
        for (Index part = 0; part < parts; ++part) lanes[part] = Vec<double>::zero();
        Index first = 0;
        for (; first + sum_lanes <= x.columns; first += sum_lanes)
#pragma GCC unroll 16
            for (Index part = 0; part < parts; ++part) lanes[part] = step(load_doubles(row + first + part * width), lanes[part]);
        if (first < x.columns) {
            double block[size_t{sum_lanes}];
            for (Index l = 0; l < sum_lanes; ++l) block[l] = first + l < x.columns ? static_cast<double>(row[first + l]) : 0;
#pragma GCC unroll 16
            for (Index part = 0; part < parts; ++part) // beyond the row's end: + 0, which changes nothing
                lanes[part] = step(Vec<double>::load(block + part * width), lanes[part]);
        }
        out[r] = tree(lanes);
    }
}

template <class T> void row_squares(const MatrixView<const T> &x, double *out) {
    row_sums_in_double(x, out, [](Vec<double> v, Vec<double> lane) { return fma(v, v, lane); });
}

// out = g · scale, then within ± bound
template <class T> void clip(const MatrixView<const T> &g, const MatrixView<T> &out, T scale, T bound) {
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
