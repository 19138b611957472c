// C of few rows where B's columns are rows of memory, as in x · Wᵀ with a layer's W (O, I): as many of them as a vector has lanes are
// turned in registers, a few k at a time, which are multiplied by the elements of A's rows. One Zen 4 core, GFLOP/s so, B turned first,
// and NumPy's: 4×512×512 68, 42 and 14; 16×784×512 100, 84 and 41; 16×256×16 71, 62 and 59. One and two rows, 25 and 46, wait for the
// turning: NumPy, whose sums have another order, has 37 and 74. Half vectors, or two and four vectors of columns by turns, are slower.

// Rows of C at once. 24×784×512 runs at 88 in two parts, at 95 with B turned before.
template <class T> constexpr int turned_rows = vector_registers / 2;

// R rows of a vector of columns, or of the `columns` that are left.
template <class T, int R, bool whole, int... lane>
void turned_columns(const Product<T> &p, const T *a, const T *b, T *c, [[maybe_unused]] Index columns) {
    using Block = BlockTranspose<T, lane...>;
    constexpr int width = Block::width, part = Block::part, half = (R + 1) / 2;
    Vec<T> sum[size_t{R}];
    const T *base[size_t{(R + 2) / 3}]; // as in tile
#pragma GCC unroll 16
    for (int g = 0; g < (R + 2) / 3; ++g) base[g] = a + 3 * g * p.a_row;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) sum[r] = Vec<T>::zero();
    const auto multiply = [&](int i, const Vec<T> &row, int first = 0, int last = R) {
#pragma GCC unroll 16
        for (int r = first; r < last; ++r) sum[r] = fma(Vec<T>::broadcast(base[r / 3][(r % 3) * p.a_row + i]), row, sum[r]);
    };
    const bool share_sets = rows_share_sets<T>(p.b_row);
    Index end = width - misalignment(b, p.b_row);
    for (Index k = 0; k < p.K; k = end, end += width) {
        const Index depth = (end < p.K ? end : p.K) - k;
        if (whole && depth == width && !share_sets) {
#pragma GCC unroll 16
            for (int few = 0; few < width; few += part) {
                Vec<T> block[size_t{part}];
                Block::load_part(block, b + k + few, p.b_row);
#pragma GCC unroll 16
                for (int i = 0; i < part; ++i) multiply(few + i, block[i]);
            }
        } else if (whole && depth == width) { // Each line at once, and A's by as many rows as a set has ways: 16×2048×16 94, not 49.
            Vec<T> block[size_t{width}];
#pragma GCC unroll 16
            for (int l = 0; l < width; ++l) block[l] = Vec<T>::load(b + l * p.b_row + k);
            Block::in_place(block);
#pragma GCC unroll 16
            for (int i = 0; i < width; ++i) multiply(i, block[i], 0, half);
#pragma GCC unroll 16
            for (int i = 0; i < width; ++i) multiply(i, block[i], half, R);
        } else {
            Vec<T> block[size_t{width}];
#pragma GCC unroll 16
            for (int l = 0; l < width; ++l) block[l] = whole || l < columns ? Vec<T>::load(b + l * p.b_row + k, depth) : Vec<T>::zero();
            Block::in_place(block);
#pragma GCC unroll 16
            for (int i = 0; i < width; ++i) {
                if (i == depth) break;
                multiply(i, block[i]);
            }
        }
#pragma GCC unroll 16
        for (int g = 0; g < (R + 2) / 3; ++g) base[g] += depth;
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
        const Vec<T> element = sum[r] + Vec<T>::zero();
        if constexpr (whole) element.store(c + r * p.c_row);
        else element.store(c + r * p.c_row, columns);
    }
}

template <class T> using TurnedColumns = void (*)(const Product<T> &, const T *, const T *, T *, Index);
template <class T, bool whole, class All, int... R> struct TurnedTable;
template <class T, bool whole, int... lane, int... R> struct TurnedTable<T, whole, Lanes<lane...>, R...> {
    static constexpr TurnedColumns<T> rows[] = {turned_columns<T, R + 1, whole, lane...>...};
};
template <class T, bool whole>
constexpr const TurnedColumns<T> *turned = TurnedTable<T, whole, lanes_of<Vec<T>>, __integer_pack(turned_rows<T>)...>::rows;

template <class T> void turned_matmul(const Product<T> &p) {
    constexpr Index width = Vec<T>::width;
    for (Index i = 0; i < p.M; i += turned_rows<T>) {
        const Index rows = p.M - i < turned_rows<T> ? p.M - i : turned_rows<T>;
        const T *a = p.a + i * p.a_row;
        T *c = p.c + i * p.c_row;
        const T *b = p.b;
        Index j = 0;
        for (; j + width <= p.N; j += width, b += width * p.b_row) turned<T, true>[rows - 1](p, a, b, c + j, width);
        if (j < p.N) turned<T, false>[rows - 1](p, a, b, c + j, p.N - j);
    }
}
