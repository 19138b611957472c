// out[c, r] = in[r, c] in registers: square blocks of width × width, where row pairs `distance` apart exchange halves at
// distances width/2 … 1. In the first prototype writing one element at a time cost a quarter of a small training step.

template <class T, int distance, int... lane> [[gnu::always_inline]] inline void exchange(Vec<T> &a, Vec<T> &b) {
    constexpr int width = sizeof...(lane);
    const auto low = __builtin_shufflevector(a.native, b.native, ((lane & distance) ? width + lane - distance : lane)...);
    const auto high = __builtin_shufflevector(a.native, b.native, ((lane & distance) ? width + lane : lane + distance)...);
    a.native = low;
    b.native = high;
}

template <class T, int distance, int... lane> [[gnu::always_inline]] inline void transpose_block(Vec<T> *row) {
    if constexpr (distance > 0) {
#pragma GCC unroll 16
        for (int r = 0; r < Vec<T>::width; ++r)
            if (!(r & distance)) exchange<T, distance, lane...>(row[r], row[r + distance]);
        transpose_block<T, distance / 2, lane...>(row);
    }
}

template <class T, int... lane> void transpose_lanes(const MatrixView<const T> &in, T *out, Index out_stride) {
    constexpr Index width = Vec<T>::width;
    for (Index r = 0; r < in.rows; r += width)
        for (Index c = 0; c < in.columns; c += width) {
            const Index rows = in.rows - r < width ? in.rows - r : width, columns = in.columns - c < width ? in.columns - c : width;
            Vec<T> block[size_t{width}];
            const T *from = in.data + r * in.stride + c;
            T *to = out + c * out_stride + r;
            if (rows == width && columns == width) {
#pragma GCC unroll 16
                for (Index i = 0; i < width; ++i) block[i] = Vec<T>::load(from + i * in.stride);
                transpose_block<T, width / 2, lane...>(block);
#pragma GCC unroll 16
                for (Index i = 0; i < width; ++i) block[i].store(to + i * out_stride);
            } else if (columns <= 2) { // a whole block takes 70 cycles, of a step of 1-13-1 a thirtieth
                for (Index i = 0; i < columns; ++i)
                    for (Index k = 0; k < rows; ++k) to[i * out_stride + k] = from[k * in.stride + i];
            } else {
                for (Index i = 0; i < width; ++i) block[i] = i < rows ? Vec<T>::load(from + i * in.stride, columns) : Vec<T>::zero();
                transpose_block<T, width / 2, lane...>(block);
                for (Index i = 0; i < columns; ++i) block[i].store(to + i * out_stride, rows);
            }
        }
}

// The lane numbers 0 … width - 1 as a pack.
template <class T, int... lane> constexpr auto transpose_over() { return transpose_lanes<T, lane...>; }
template <class T> constexpr auto transpose = transpose_over<T, __integer_pack(static_cast<int>(Vec<T>::width))...>();
