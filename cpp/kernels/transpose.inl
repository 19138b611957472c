// out[c, r] = in[r, c] in registers, by square blocks of width × width. In the first prototype writing one element at a time cost a quarter
// of a small training step.

// A block in an array, by instructions of one operation that write no operand and need no table: elements interleaved within the 128-bit
// parts of registers, then the parts. Rows whose elements change places at distances width/2 … 1 need a table and a copy for most: products
// of ten columns, which turn a block for 160 multiplications, ran at 82 GFLOP/s so and run at 87.
template <class T, int... lane> struct BlockTranspose {
    using V = Vec<T>;
    static constexpr int width = sizeof...(lane), part = 16 / int{sizeof(T)}, parts = width / part;

    // The i-th lane of the lower or upper elements of each part, `run` of a and `run` of b by turns.
    static constexpr int interleaved(int i, int run, bool upper) {
        const int within = i % part;
        return i - within + (within / run % 2) * width + within / (2 * run) * run + within % run + (upper ? part / 2 : 0);
    }
    // The i-th lane of half of a's parts and half of b's: the first or last ones, or those with even or odd numbers.
    static constexpr int halved(int i, bool upper) { return i % (width / 2) + i / (width / 2) * width + (upper ? width / 2 : 0); }
    static constexpr int alternate(int i, bool odd) {
        return i / (width / 2) * width + i % (width / 2) / part * 2 * part + i % part + (odd ? part : 0);
    }
    template <int run> [[gnu::always_inline]] static void interleave(V &a, V &b) {
        const auto low = __builtin_shufflevector(a.native, b.native, interleaved(lane, run, false)...);
        b.native = __builtin_shufflevector(a.native, b.native, interleaved(lane, run, true)...);
        a.native = low;
    }
    [[gnu::always_inline]] static void halve(V &a, V &b) {
        const auto low = __builtin_shufflevector(a.native, b.native, halved(lane, false)...);
        b.native = __builtin_shufflevector(a.native, b.native, halved(lane, true)...);
        a.native = low;
    }
    [[gnu::always_inline]] static void separate(V &a, V &b) {
        const auto even = __builtin_shufflevector(a.native, b.native, alternate(lane, false)...);
        b.native = __builtin_shufflevector(a.native, b.native, alternate(lane, true)...);
        a.native = even;
    }
    [[gnu::always_inline]] static void exchange(V &a, V &b) {
        const V kept = a;
        a = b;
        b = kept;
    }
    // Within the parts of as many registers as elements are in a part.
    [[gnu::always_inline]] static void parts_in_place(V *row) {
        interleave<1>(row[0], row[1]);
        if constexpr (part == 4) {
            interleave<1>(row[2], row[3]);
            interleave<2>(row[0], row[2]);
            interleave<2>(row[1], row[3]);
            exchange(row[1], row[2]);
        }
    }
    [[gnu::always_inline]] static void in_place(V *row) {
#pragma GCC unroll 16
        for (int r = 0; r < width; r += part) parts_in_place(row + r);
        if constexpr (parts > 1)
#pragma GCC unroll 4
            for (int r = 0; r < part; ++r) {
                halve(row[r], row[r + part]);
                if constexpr (parts == 4) {
                    halve(row[r + 2 * part], row[r + 3 * part]);
                    separate(row[r], row[r + 2 * part]);
                    separate(row[r + part], row[r + 3 * part]);
                    exchange(row[r + part], row[r + 2 * part]);
                }
            }
    }
    // The first columns of rows `stride` apart, as many as elements are in a part: other parts are exchanged by loads, which spares half of
    // the shuffles.
    [[gnu::always_inline]] static void load_part(V *row, const T *from, Index stride) {
#pragma GCC unroll 4
        for (int r = 0; r < part; ++r) row[r] = V::load_parts(from + r * stride, part * stride);
        parts_in_place(row);
    }
};

// Rows a multiple of 2 KiB apart share a few sets of L1.
template <class T> bool rows_share_sets(Index stride) { return stride * static_cast<Index>(sizeof(T)) % 2048 == 0; }

// There a line that two blocks read would come twice, so blocks begin at a vector's alignment: the first one is shorter by as many elements
// as `first` lies behind it.
template <class T> Index misalignment(const T *first, Index stride) {
    return rows_share_sets<T>(stride) ? static_cast<Index>(reinterpret_cast<uintptr_t>(first) / sizeof(T)) % Index{Vec<T>::width} : 0;
}

template <class T, int... lane> void transpose_lanes(const MatrixView<const T> &in, T *out, Index out_stride) {
    constexpr Index width = Vec<T>::width;
    const Index before = misalignment(in.data, in.stride);
    for (Index r = 0; r < in.rows; r += width)
        for (Index c = 0, next = width - before; c < in.columns; c = next, next += width) {
            const Index rows = in.rows - r < width ? in.rows - r : width, columns = (next < in.columns ? next : in.columns) - c;
            Vec<T> block[size_t{width}];
            const T *from = in.data + r * in.stride + c;
            T *to = out + c * out_stride + r;
            if (rows == width && columns == width) {
#pragma GCC unroll 16
                for (Index i = 0; i < width; ++i) block[i] = Vec<T>::load(from + i * in.stride);
                BlockTranspose<T, lane...>::in_place(block);
#pragma GCC unroll 16
                for (Index i = 0; i < width; ++i) block[i].store(to + i * out_stride);
            } else if (columns <= 2) { // a whole block takes 70 cycles, of a step of 1-13-1 a thirtieth
                for (Index i = 0; i < columns; ++i)
                    for (Index k = 0; k < rows; ++k) to[i * out_stride + k] = from[k * in.stride + i];
            } else {
                for (Index i = 0; i < width; ++i) block[i] = i < rows ? Vec<T>::load(from + i * in.stride, columns) : Vec<T>::zero();
                BlockTranspose<T, lane...>::in_place(block);
                for (Index i = 0; i < columns; ++i) block[i].store(to + i * out_stride, rows);
            }
        }
}

// The lane numbers 0 … width - 1 as a pack.
template <class T, int... lane> constexpr auto transpose_over() { return transpose_lanes<T, lane...>; }
template <class T> constexpr auto transpose = transpose_over<T, __integer_pack(static_cast<int>(Vec<T>::width))...>();
