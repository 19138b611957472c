// The kernel set "scalar": what every kernel's result is, written as plain loops in the order that fixes its bits. Every other
// set must give these bits. Beside the one-lane vectors, its elementwise functions are all that it shares with them.
#include "ganglion/kernel_set.hpp"

namespace ganglion {
namespace {

#include "soft_fma.inl"
#include "vec_scalar.inl"
#include "functions.inl"
#include "activations.inl"

template <class T> T value(Vec<T> v) {
    T lane;
    v.store(&lane);
    return lane;
}

float flushed(float x) { return value(flushed(Vec<float>{x})); }
double flushed(double x) { return value(flushed(Vec<double>{x})); }

// The larger magnitude; a NaN counts as larger than infinity.
template <class T> T larger(T largest, T x) {
    const T magnitude = x < 0 ? -x : x;
    return largest >= magnitude || largest != largest ? largest : magnitude;
}

template <class T> T *row_of(const MatrixView<T> &x, Index r) { return x.data + r * x.stride; }

template <class T> void clear_padding(const MatrixView<T> &x, Index r) {
    for (Index j = x.columns; j % padding != 0; ++j) row_of(x, r)[j] = 0;
}

// Sum of a row: lane l of 16 takes the columns j ≡ l (mod 16) in order, lane = step(lane, j), then the tree 8, 4, 2, 1.
template <class T, class Step> T row_sum(Index columns, Step step) {
    T lanes[sum_lanes] = {};
    for (Index j = 0; j < columns; ++j) lanes[j % sum_lanes] = step(lanes[j % sum_lanes], j);
    for (Index half = sum_lanes / 2; half > 0; half /= 2)
        for (Index l = 0; l < half; ++l) lanes[l] = lanes[l] + lanes[l + half];
    return lanes[0];
}

// One chain of fused multiply-adds over k for each c[i,j], then + 0, which makes a zero of either sign +0: whether terms that are
// zero were left out can not be seen. The chains of a row take turns, which leaves each one's order alone.
template <class T> void matmul(const Product<T> &p) {
    for (Index i = 0; i < p.M; ++i) {
        T *c = p.c + i * p.c_row;
        for (Index j = 0; j < p.N; ++j) c[j] = p.accumulate ? c[j] : T(0);
        for (Index k = 0; k < p.K; ++k)
            for (Index j = 0; j < p.N; ++j) c[j] = soft_fma(p.a[i * p.a_row + k * p.a_column], p.b[k * p.b_row + j], c[j]);
        for (Index j = 0; j < p.N; ++j) c[j] = c[j] + T(0);
    }
}

template <class T> void turned_matmul(const Product<T> &p) {
    for (Index j = 0; j < p.N; ++j) matmul<T>({p.M, 1, p.K, p.a, p.a_row, 1, p.b + j * p.b_row, 1, p.c + j, p.c_row, false});
}

template <class T> void transpose(const MatrixView<const T> &in, T *out, Index out_stride) {
    for (Index r = 0; r < in.rows; ++r)
        for (Index c = 0; c < in.columns; ++c) out[c * out_stride + r] = row_of(in, r)[c];
}

template <class T> Index nonzeros(const MatrixView<const T> &x) {
    Index count = 0;
    for (Index r = 0; r < x.rows; ++r)
        for (Index c = 0; c < x.columns; ++c) count += row_of(x, r)[c] != 0;
    return count;
}

template <class T> void column_sums(const MatrixView<const T> &d, T *out) {
    for (Index c = 0; c < d.columns; ++c) {
        out[c] = 0;
        for (Index r = 0; r < d.rows; ++r) out[c] = out[c] + row_of(d, r)[c];
    }
}

template <class T> void add(T *a, const T *b, Index n) {
    for (Index i = 0; i < n; ++i) a[i] = a[i] + b[i];
}

template <class T> T largest_of(const MatrixView<const T> &x) {
    T largest = 0;
    for (Index r = 0; r < x.rows; ++r)
        for (Index c = 0; c < x.columns; ++c) largest = larger(largest, row_of(x, r)[c]);
    return largest;
}

template <class T> void argmax(const MatrixView<const T> &x, int32_t *out) {
    for (Index r = 0; r < x.rows; ++r) {
        const T *row = row_of(x, r);
        Index best = 0;
        for (Index c = 1; c < x.columns; ++c)
            if (row[c] > row[best] || (row[c] != row[c] && row[best] == row[best])) best = c;
        out[r] = static_cast<int32_t>(best);
    }
}

constexpr Index peak_elements = 4;

template <class T> void peak(T *x, Index steps, T factor, T addend) {
    for (Index step = 0; step < steps; ++step)
        for (Index i = 0; i < peak_elements; ++i) x[i] = soft_fma(x[i], factor, addend);
}

template <class T, class Source>
T gather(const MatrixView<const Source> &x, const int32_t *rows, Index first, const MatrixView<T> &out, bool scaled, T scale, T offset) {
    T largest = 0;
    for (Index r = 0; r < out.rows; ++r) {
        const Source *from = row_of(x, rows ? rows[r] : first + r);
        for (Index c = 0; c < out.columns; ++c) {
            const T converted = static_cast<T>(from[c]);
            row_of(out, r)[c] = scaled ? converted * scale + offset : converted;
            largest = larger(largest, row_of(out, r)[c]);
        }
        clear_padding(out, r);
    }
    return largest;
}

#include "elementwise_losses.inl"
#include "scalar_losses.inl"
#include "scalar_activations.inl"
#include "scalar_updates.inl"
#include "scalar_clipping.inl"
#include "scalar_penalties.inl"
#include "scalar_dropout.inl"
#include "scalar_normalization.inl"

template <class T> constexpr Kernels<T> kernels() {
    return {.width = 1,
            .short_width = 1,
            .shared_columns = 0,
            .looks = false,
            .tile_rows = 8,
            .tile_columns = 16,
            .matmul = product_or_descent<T>,
            .sparse_matmul = matmul<T>,
            .turned_matmul = turned_matmul<T>,
            .turned_rows = 4,
            .nonzeros = nonzeros<T>,
            .transpose = transpose<T>,
            .column_sums = column_sums<T>,
            .add = add<T>,
            .largest = largest_of<T>,
            .argmax = argmax<T>,
            .peak = peak<T>,
            .peak_elements = peak_elements,
            .dropout = dropout<T>,
            .normalization = normalization<T>,
            .gather_float32 = gather<T, float>,
            .gather_float64 = gather<T, double>,
            .gather_uint8 = gather<T, uint8_t>,
            .row_squares = row_squares<T>,
            .clip = clip<T>,
            .row_magnitudes = row_magnitudes<T>,
            .penalize = penalize<T>,
            .functions = FunctionTable<T, Functions>::rows,
            .activations = ActivationTable<T, Activations>::rows,
            .losses = LossTable<T, ElementwiseLosses>::rows,
            .optimizers = optimizers<T>};
}

} // namespace

extern const KernelSet scalar_kernels;
const KernelSet scalar_kernels = {"scalar", "plain loops, the definition of every result", feature_none, kernels<float>(),
                                  kernels<double>()};

} // namespace ganglion
