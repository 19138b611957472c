// C of few columns, with its rows in the lanes: for callers outside of networks, where columns are padded to half vectors. As many rows of
// A as a vector has lanes are turned in registers, block by block, unless they lie beside each other, and each of their columns is
// multiplied by the elements of a row of B: no lane of these rows is empty, where tiles would have 10 of 16 at work, or 1 of 8. One Zen 4
// core, float32, GFLOP/s so and by tiles: 128×512×10 87 and 68, 256×256×4 63 and 45, 256×256×2 41 and 22. For up to 6 columns NumPy, whose
// sums have another order, is faster (256×256×4 84, 256×256×2 66).

// Most columns of C: sums and a block of A then take 28 of 32 registers. No doubles: from memory they are a fifth slower so (6000×784×3 12
// to 14 GFLOP/s, by tiles 16), and from caches about a tenth faster.
template <class T> constexpr int narrow_columns = vector_registers < 32 || sizeof(T) > 4 ? 0 : int{Vec<T>::width} * 3 / 4;

// Where tiles would leave a quarter of their lanes empty, if a_row or a_column is 1.
template <class T> bool is_narrow(const Product<T> &p) {
    const Index lanes = (p.N + ShortVec<T>::width - 1) & -ShortVec<T>::width; // of tiles
    return p.N <= narrow_columns<T> && 4 * p.N <= 3 * lanes && p.M >= Vec<T>::width && p.K >= 2 * Vec<T>::width;
}

// `width` rows of N columns. unit_rows: a_row is 1; else a_column is.
template <class T, int N, bool unit_rows, int... lane> void narrow_rows(const Product<T> &p, const T *a, T *c) {
    constexpr int width = static_cast<int>(Vec<T>::width);
    Vec<T> sum[size_t{N}], block[size_t{width}];
    if (p.accumulate) {
#pragma GCC unroll 16
        for (int r = 0; r < width; ++r) block[r] = Vec<T>::load(c + r * p.c_row, N);
        BlockTranspose<T, lane...>::in_place(block);
    }
#pragma GCC unroll 16
    for (int n = 0; n < N; ++n) sum[n] = p.accumulate ? block[n] : Vec<T>::zero();
    const T *b = p.b;
    const auto multiply = [&](const Vec<T> &column) {
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) sum[n] = fma(column, Vec<T>::broadcast(b[n]), sum[n]);
        b += p.b_row;
    };
    if constexpr (unit_rows) {
        for (Index k = 0; k < p.K; ++k) multiply(Vec<T>::load(a + k * p.a_column));
    } else {
        Index k = 0;
        for (; k + width <= p.K; k += width) {
#pragma GCC unroll 16
            for (int r = 0; r < width; ++r) block[r] = Vec<T>::load(a + r * p.a_row + k);
            BlockTranspose<T, lane...>::in_place(block);
#pragma GCC unroll 16
            for (int i = 0; i < width; ++i) multiply(block[i]);
        }
        if (const Index rest = p.K - k; rest > 0) {
#pragma GCC unroll 16
            for (int r = 0; r < width; ++r) block[r] = Vec<T>::load(a + r * p.a_row + k, rest);
            BlockTranspose<T, lane...>::in_place(block);
#pragma GCC unroll 16
            for (int i = 0; i < width; ++i) {
                if (i == rest) break;
                multiply(block[i]);
            }
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < width; ++r) block[r] = r < N ? sum[r] + Vec<T>::zero() : Vec<T>::zero();
    BlockTranspose<T, lane...>::in_place(block);
#pragma GCC unroll 16
    for (int r = 0; r < width; ++r) block[r].store(c + r * p.c_row, N);
}

template <class T> using NarrowRows = void (*)(const Product<T> &, const T *, T *);
template <class T, bool unit_rows, class All, int... N> struct NarrowTable;
template <class T, bool unit_rows, int... lane, int... N> struct NarrowTable<T, unit_rows, Lanes<lane...>, N...> {
    static constexpr NarrowRows<T> columns[] = {narrow_rows<T, N + 1, unit_rows, lane...>...};
};

// Whole blocks of rows, from the first on; returns the product of the rows that are left.
template <class T, bool unit_rows> Product<T> narrow_product(const Product<T> &p) {
    const NarrowRows<T> rows = NarrowTable<T, unit_rows, lanes_of<Vec<T>>, __integer_pack(narrow_columns<T>)...>::columns[p.N - 1];
    Product<T> left = p;
    for (; left.M >= Vec<T>::width; left.M -= Vec<T>::width) {
        rows(p, left.a, left.c);
        left.a += Vec<T>::width * p.a_row, left.c += Vec<T>::width * p.c_row;
    }
    left.along = left.across = nullptr; // lines of all rows
    return left;
}
