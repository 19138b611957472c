// One row of C from a few rows of B: these are read from end to end, eight at a time, as prefetchers follow them, and the row of C, which
// L1 holds, is stored and loaded again between. Tiles read B in columns of eight vectors, of which few lines follow one another. Where B
// comes from memory 2048×2048 takes 450 µs so and 530 to 900 by tiles, 1000×999, whose vectors lie across two lines, 61 and 76; where it
// is in caches and its lines are aligned, tiles are up to a quarter faster.

constexpr Index streamed_rows = 8;       // of B, side by side
constexpr Index streamed_columns = 4096; // of C, in L1

// c[j] = Σ over D rows of B, from 0 where they are the first, and + 0 where they are the last.
template <class T, int D> void stream_rows(const T *a, Index a_column, const T *b, Index b_row, T *c, Index columns, bool first,
                                           bool last) {
    Vec<T> factor[size_t{D}];
#pragma GCC unroll 8
    for (int d = 0; d < D; ++d) factor[d] = Vec<T>::broadcast(a[d * a_column]);
    sweep<T>(columns, [&](Index j, auto tail) {
        Vec<T> sum = first ? Vec<T>::zero() : load_row(c + j, columns - j, tail);
#pragma GCC unroll 8
        for (int d = 0; d < D; ++d) sum = fma(factor[d], load_row(b + d * b_row + j, columns - j, tail), sum);
        store_row(last ? sum + Vec<T>::zero() : sum, c + j, columns - j, tail);
    });
}

template <class T> using StreamRows = void (*)(const T *, Index, const T *, Index, T *, Index, bool, bool);
template <class T, int... D> struct StreamTable {
    static constexpr StreamRows<T> rows[] = {stream_rows<T, D + 1>...};
};
template <class T> constexpr const StreamRows<T> *streams = StreamTable<T, __integer_pack(streamed_rows)...>::rows;

template <class T> void row_product(const Product<T> &p) {
    for (Index j = 0; j < p.N; j += streamed_columns) {
        const Index columns = p.N - j < streamed_columns ? p.N - j : streamed_columns;
        for (Index k = 0; k < p.K; k += streamed_rows) {
            const Index depth = p.K - k < streamed_rows ? p.K - k : streamed_rows;
            const StreamRows<T> stream = streams<T>[depth - 1];
            const bool first = k == 0 && !p.accumulate, last = k + depth == p.K;
            stream(p.a + k * p.a_column, p.a_column, p.b + k * p.b_row + j, p.b_row, p.c + j, columns, first, last);
        }
    }
}
