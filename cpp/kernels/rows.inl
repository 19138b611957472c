// Work on the rows of a panel: sums in 16 virtual lanes, softmax, maxima, transposition, sums over a leaf's rows.

template <bool chosen> struct Choice {
    static constexpr bool value = chosen;
};

// A view in registers. Read through its reference it is loaded again for every vector, as a store might have changed it: a step of
// 1-13-1 on 11 rows takes 0.63 µs in place of 0.65. A copy of the whole would wait for the stores that made the original.
template <class T> [[gnu::always_inline]] inline MatrixView<T> held(const MatrixView<T> &view) {
    return {view.data, view.rows, view.columns, view.stride};
}

// f(j, last) for each vector of a row: whole ones first, then with last = Choice<true> one of fewer than `width` columns.
template <class T, class F> [[gnu::always_inline]] inline void sweep(Index columns, F f) {
    Index j = 0;
    for (; j + Vec<T>::width <= columns; j += Vec<T>::width) f(j, Choice<false>{});
    if (j < columns) f(j, Choice<true>{});
}

// f(r, j, last) for each vector of some rows. Those of less than a vector have a loop of their own, in which what f needs stays in
// registers: a step of 1-13-1 on 11 rows takes 0.59 µs in place of 0.64.
template <class T, class F> [[gnu::always_inline]] inline void sweep_rows(Index rows, Index columns, F f) {
    if (0 < columns && columns < Vec<T>::width)
        for (Index r = 0; r < rows; ++r) f(r, Index{0}, Choice<true>{});
    else
        for (Index r = 0; r < rows; ++r) sweep<T>(columns, [&](Index j, auto last) { f(r, j, last); });
}

// two(r, j, last, s, k, last of the second) for the vectors from columns j and k on of rows r and s: of the same row, or of two rows of
// less than a vector; one(r, j, last) for what remains.
template <class T, class One, class Two>
[[gnu::always_inline]] inline void sweep_pairs(Index rows, Index columns, One one, Two two) {
    constexpr Index width = Vec<T>::width;
    constexpr Choice<false> whole;
    constexpr Choice<true> last;
    if (columns < width) {
        Index r = 0;
        for (; columns > 0 && r + 2 <= rows; r += 2) two(r, 0, last, r + 1, 0, last);
        if (columns > 0 && r < rows) one(r, 0, last);
        return;
    }
    for (Index r = 0; r < rows; ++r) {
        Index j = 0;
        for (; j + 2 * width <= columns; j += 2 * width) two(r, j, whole, r, j + width, whole);
        if (j + width < columns) two(r, j, whole, r, j + width, last);
        else if (j + width == columns) one(r, j, whole);
        else if (j < columns) one(r, j, last);
    }
}

// The lanes below n of the last vector, +0 beyond.
template <class T> [[gnu::always_inline]] inline Vec<T> inside(Vec<T> v, Index, Choice<false>) { return v; }
template <class T> [[gnu::always_inline]] inline Vec<T> inside(Vec<T> v, Index n, Choice<true>) {
    return select(first_lanes<T>(n), v, Vec<T>::zero());
}

template <class T> [[gnu::always_inline]] inline Vec<T> load_row(const T *p, Index, Choice<false>) { return Vec<T>::load(p); }
template <class T> [[gnu::always_inline]] inline Vec<T> load_row(const T *p, Index n, Choice<true>) { return Vec<T>::load(p, n); }

template <class T> [[gnu::always_inline]] inline void store_row(Vec<T> v, T *p, Index, Choice<false>) { v.store(p); }
template <class T> [[gnu::always_inline]] inline void store_row(Vec<T> v, T *p, Index n, Choice<true>) { v.store(p, n); }

// Running maximum of magnitudes, kept as bits so that a NaN stays the largest.
template <class T> struct Largest {
    Bits<T> bits = as_bits(Vec<T>::zero());
    [[gnu::always_inline]] void add(Vec<T> v) { bits = max(bits, as_bits(abs(v))); }
    [[gnu::always_inline]] T value() const { return largest_lane(bits); }
};

// A vector of a result: flushed, +0 beyond the row's n columns, and in `largest`. In one mask, as small networks have little else to do:
// a step of 1-13-1 on 11 rows takes 0.60 µs in place of 0.63.
template <class T, class Last> [[gnu::always_inline]] inline Vec<T> settled(Vec<T> v, Index n, Last last, Largest<T> &largest) {
    const Bits<T> size = as_bits(abs(v)), subnormal = Bits<T>::broadcast(ConstantsOf<Vec<T>>::fraction); // the largest
    Mask<T> kept = size > subnormal;                                                                     // NaN's bits are too
    if constexpr (last.value) kept = kept & first_lanes<T>(n);
    largest.bits = max_where(kept, largest.bits, size);
    return select(kept, v, Vec<T>::zero());
}

template <class T> T maximum(const T *x, Index n) {
    Vec<T> highest = Vec<T>::broadcast(x[0]);
    sweep<T>(n, [&](Index j, auto last) {
        const Vec<T> v = load_row(x + j, n - j, last);
        const auto higher = highest < v;
        if constexpr (last.value) highest = select(higher & first_lanes<T>(n - j), v, highest);
        else highest = select(higher, v, highest);
    });
    return highest_lane(highest);
}

// A row sum: virtual lane l of 16 takes the columns j ≡ l (mod 16) in order, then the tree 8, 4, 2, 1 adds the lanes.
// chain(lane, j, last) returns the lanes with the vector of columns from j on added.
template <class T, class Chain> [[gnu::always_inline]] inline T row_sum(Index n, Chain chain) {
    constexpr Index parts = sum_lanes / Vec<T>::width;
    Vec<T> lanes[size_t{parts}];
#pragma GCC unroll 16
    for (Index part = 0; part < parts; ++part) lanes[part] = Vec<T>::zero();
    for (Index first = 0; first < n; first += sum_lanes)
#pragma GCC unroll 16
        for (Index part = 0; part < parts; ++part) {
            const Index j = first + part * Vec<T>::width;
            if (j + Vec<T>::width <= n) lanes[part] = chain(lanes[part], j, Choice<false>{});
            else if (j < n) lanes[part] = select(first_lanes<T>(n - j), chain(lanes[part], j, Choice<true>{}), lanes[part]);
        }
    return tree(lanes);
}

// e[j] = exp(z[j] - m) over n columns; returns their sum.
template <class T> T exponentials(const T *z, T m, T *e, Index n) {
    const Vec<T> shift = Vec<T>::broadcast(m);
    return row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) {
        const Vec<T> v = exp(load_row(z + j, n - j, last) - shift);
        store_row(v, e + j, n - j, last);
        return lane + v;
    });
}

// Zeros from the end of a row to the end of its padding.
template <class T> void clear_padding(T *row, Index columns) {
    constexpr Index width = Vec<T>::width;
    Index j = (columns + width - 1) / width * width;
    if (j > columns) Vec<T>::zero().store(row + columns, j - columns);
    for (; j % padding != 0; j += width) Vec<T>::zero().store(row + j);
}

template <class T> void softmax_row(const T *z, T *h, Index n) {
    const Vec<T> sum = Vec<T>::broadcast(exponentials(z, maximum(z, n), h, n));
    sweep<T>(n, [&](Index j, auto last) { store_row(load_row(h + j, n - j, last) / sum, h + j, n - j, last); });
}

template <class T> void softmax_apply(const T *x, T *y, Index n, T) {
    if (n > 0) softmax_row(x, y, n);
}

template <class T> T softmax_forward(const MatrixView<T> &z, const T *bias, const MatrixView<T> &h, T) {
    Largest<T> largest;
    for (Index r = 0; r < z.rows; ++r) {
        T *in = z.data + r * z.stride, *out = h.data + r * h.stride;
        if (bias)
            sweep<T>(z.columns, [&](Index j, auto last) {
                store_row(load_row(in + j, z.columns - j, last) + load_row(bias + j, z.columns - j, last), in + j, z.columns - j, last);
            });
        softmax_row(in, out, z.columns);
        sweep<T>(z.columns, [&](Index j, auto last) {
            const Index n = z.columns - j;
            store_row(settled(load_row(out + j, n, last), n, last, largest), out + j, n, last);
        });
    }
    return largest.value();
}

template <class T> T softmax_backward(const MatrixView<T> &d, const MatrixView<const T> &h, T) {
    Largest<T> largest;
    const Index n = d.columns;
    for (Index r = 0; r < d.rows; ++r) {
        T *dr = d.data + r * d.stride;
        const T *hr = h.data + r * h.stride;
        const Vec<T> mean = Vec<T>::broadcast(row_sum<T>(
            n, [=](Vec<T> lane, Index j, auto last) { return fma(load_row(dr + j, n - j, last), load_row(hr + j, n - j, last), lane); }));
        sweep<T>(n, [&](Index j, auto last) {
            const Vec<T> v = load_row(hr + j, n - j, last) * (load_row(dr + j, n - j, last) - mean);
            store_row(settled(v, n - j, last, largest), dr + j, n - j, last);
        });
    }
    return largest.value();
}

// One activation of the type list on whole panels.
template <class T, class Row> void apply(const T *x, T *y, Index n, T alpha) {
    const Vec<T> a = Vec<T>::broadcast(alpha);
    sweep<T>(n, [&](Index j, auto last) { store_row(Row::forward(load_row(x + j, n - j, last), a), y + j, n - j, last); });
}

template <class T, class Row> void apply_function(const T *x, T *y, Index n) {
    sweep<T>(n, [&](Index j, auto last) { store_row(Row::apply(load_row(x + j, n - j, last)), y + j, n - j, last); });
}

// Rows are padded, so whole vectors are read and written, with zeros in the padding: a masked store makes the next kernel's load of
// it wait for the cache.
template <class T, class Row> T forward(const MatrixView<T> &input, const T *bias, const MatrixView<T> &output, T alpha) {
    Largest<T> largest;
    const MatrixView<T> z = held(input), h = held(output);
    const auto sum = [&](Index r, Index j, auto last) {
        T *const in = z.data + r * z.stride + j;
        const Index n = z.columns - j;
        Vec<T> v = Vec<T>::load(in);
        if (bias) {
            v = v + load_row(bias + j, n, last);
            if (Row::needs == Needs::input) inside(v, n, last).store(in);
        }
        return v;
    };
    const auto keep = [&](Index r, Index j, auto last, Vec<T> activated) {
        settled(activated, z.columns - j, last, largest).store(h.data + r * h.stride + j);
    };
    const auto one = [&](Index r, Index j, auto last) { keep(r, j, last, Row::forward(sum(r, j, last), Vec<T>::broadcast(alpha))); };
    if constexpr (Row::paired)
        sweep_pairs<T>(z.rows, z.columns, one, [&](Index r, Index j, auto last, Index s, Index k, auto last_of_second) {
            const Pair<T> sums = {sum(r, j, last), sum(s, k, last_of_second)};
            const Pair<T> both = Row::forward(sums, Pair<T>::broadcast(alpha));
            keep(r, j, last, both.first);
            keep(s, k, last_of_second, both.second);
        });
    else sweep_rows<T>(z.rows, z.columns, one);
    return largest.value();
}

template <class T, class Row> T backward(const MatrixView<T> &delta, const MatrixView<const T> &kept, T alpha) {
    Largest<T> largest;
    const MatrixView<T> d = held(delta);
    const MatrixView<const T> saved = held(kept);
    const Vec<T> a = Vec<T>::broadcast(alpha);
    sweep_rows<T>(d.rows, d.columns, [&](Index r, Index j, auto last) {
        T *const dr = d.data + r * d.stride + j;
        const Vec<T> from = Vec<T>::load(saved.data + r * saved.stride + j);
        settled(Row::backward(Vec<T>::load(dr), from, a), d.columns - j, last, largest).store(dr);
    });
    return largest.value();
}

template <class T> T largest_of(const MatrixView<const T> &x) {
    Largest<T> largest;
    const bool one_run = x.stride == x.columns;
    const Index rows = one_run ? 1 : x.rows, columns = one_run ? x.rows * x.columns : x.columns;
    for (Index r = 0; r < rows; ++r) {
        const T *row = x.data + r * x.stride;
        sweep<T>(columns, [&](Index j, auto last) { largest.add(load_row(row + j, columns - j, last)); });
    }
    return largest.value();
}

// The first column where wanted(v) is true; there must be one.
template <class T, class Wanted> Index first_column(const T *row, Index n, Wanted wanted) {
    constexpr Index width = Vec<T>::width;
    Index j = 0;
    for (; j + width <= n; j += width)
        if (const uint32_t lanes = lane_bits(wanted(Vec<T>::load(row + j)))) return j + __builtin_ctz(lanes);
    return j + __builtin_ctz(lane_bits(wanted(Vec<T>::load(row + j, n - j)) & first_lanes<T>(n - j)));
}

template <class T> void argmax(const MatrixView<const T> &x, int32_t *out) {
    const Index n = x.columns;
    for (Index r = 0; r < x.rows; ++r) {
        const T *row = x.data + r * x.stride;
        Mask<T> ordered = first_lanes<T>(Vec<T>::width);
        sweep<T>(n, [&](Index j, auto last) {
            const Vec<T> v = load_row(row + j, n - j, last);
            ordered = ordered & (v == v);
        });
        Index best;
        if (lane_bits(!ordered)) {
            best = first_column(row, n, [](Vec<T> v) { return !(v == v); });
        } else {
            const Vec<T> highest = Vec<T>::broadcast(maximum(row, n));
            best = first_column(row, n, [=](Vec<T> v) { return v == highest; });
        }
        out[r] = static_cast<int32_t>(best);
    }
}

// Columns side by side, one chain each: up to 8 vectors of columns at a time, so that the additions overlap.
template <class T, Index vectors> Index sum_columns(const MatrixView<const T> &d, T *out, Index j) {
    constexpr Index width = Vec<T>::width;
    for (; j + vectors * width <= d.columns; j += vectors * width) {
        Vec<T> sum[size_t{vectors}];
#pragma GCC unroll 8
        for (Index v = 0; v < vectors; ++v) sum[v] = Vec<T>::zero();
        for (Index r = 0; r < d.rows; ++r)
#pragma GCC unroll 8
            for (Index v = 0; v < vectors; ++v) sum[v] = sum[v] + Vec<T>::load(d.data + r * d.stride + j + v * width);
#pragma GCC unroll 8
        for (Index v = 0; v < vectors; ++v) sum[v].store(out + j + v * width);
    }
    return j;
}

template <class T> void column_sums(const MatrixView<const T> &d, T *out) {
    const Index j = sum_columns<T, 1>(d, out, sum_columns<T, 4>(d, out, sum_columns<T, 8>(d, out, 0)));
    if (j == d.columns) return;
    Vec<T> sum = Vec<T>::zero();
    for (Index r = 0; r < d.rows; ++r) sum = sum + Vec<T>::load(d.data + r * d.stride + j, d.columns - j);
    sum.store(out + j, d.columns - j);
}

template <class T> void add(T *a, const T *b, Index n) {
    sweep<T>(n, [&](Index j, auto last) { store_row(load_row(a + j, n - j, last) + load_row(b + j, n - j, last), a + j, n - j, last); });
}
