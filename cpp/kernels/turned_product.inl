// C of few rows where B's columns are rows of memory, as in x · Wᵀ with a layer's W (O, I): as many of them as a vector has lanes are
// turned in registers, block by block, and each k is multiplied by the elements of A's rows. One Zen 4 core, GFLOP/s so, with B turned
// first, and NumPy's: 4×512×512 59, 42 and 13; 12×512×512 92, 73 and 33. One and two rows, 23 and 40, wait for the turning: NumPy, whose
// sums have another order, has 35 and 60. Half vectors, or two and four vectors of columns by turns, are slower.

// Rows of C at once: their sums, a block of B and three more are in registers. With more than 12 it is as fast to turn all of B before.
template <class T> constexpr int turned_rows =
    vector_registers - int{Vec<T>::width} - 3 < 12 ? vector_registers - int{Vec<T>::width} - 3 : 12;

// R rows of a vector of columns, or of the `columns` that are left.
template <class T, int R, bool whole, int... lane>
void turned_columns(const Product<T> &p, const T *a, const T *b, T *c, [[maybe_unused]] Index columns) {
    constexpr int width = static_cast<int>(Vec<T>::width);
    Vec<T> sum[size_t{R}], block[size_t{width}];
    const T *base[size_t{(R + 2) / 3}]; // as in tile
#pragma GCC unroll 16
    for (int g = 0; g < (R + 2) / 3; ++g) base[g] = a + 3 * g * p.a_row;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) sum[r] = Vec<T>::zero();
    const auto multiply = [&](int i) {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) sum[r] = fma(Vec<T>::broadcast(base[r / 3][(r % 3) * p.a_row + i]), block[i], sum[r]);
    };
    Index end = width - misalignment(b, p.b_row);
    for (Index k = 0; k < p.K; k = end, end += width) {
        const Index depth = (end < p.K ? end : p.K) - k;
        if (whole && depth == width) {
            BlockTranspose<T, lane...>::load(block, b + k, p.b_row);
#pragma GCC unroll 16
            for (int i = 0; i < width; ++i) multiply(i);
        } else {
#pragma GCC unroll 16
            for (int l = 0; l < width; ++l) block[l] = whole || l < columns ? Vec<T>::load(b + l * p.b_row + k, depth) : Vec<T>::zero();
            BlockTranspose<T, lane...>::in_place(block);
#pragma GCC unroll 16
            for (int i = 0; i < width; ++i) {
                if (i == depth) break;
                multiply(i);
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
