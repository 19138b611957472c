// Everything that differs by CPU: a name, the features it needs, block sizes and function pointers.
//
// The contract of every kernel here:
//   - inputs are valid; whoever calls has checked shapes, labels and aliasing;
//   - nothing is allocated, thrown or locked; the default rounding and denormal mode is assumed;
//   - the result is the scalar set's, bit for bit (all NaNs count as equal); see HACKING.md;
//   - rows of *network* buffers are padded with zeros to a multiple of `padding` elements and may be processed in whole
//     vectors; the padding of a result is unspecified where its text does not say "zero";
//   - "flushed" means: a value whose magnitude is below the smallest normal number is stored as +0;
//   - "largest" means: the largest magnitude among the values written (padding aside), a NaN counting as larger than
//     infinity, so that one comparison with a finite bound tells whether all are finite and small.
#pragma once
#include "ganglion/matrix.hpp"

namespace ganglion {

constexpr Index padding = 16;    // elements; a row of any network buffer is a multiple of it
constexpr Index sum_lanes = 16;  // virtual lanes of a row sum, on every set
constexpr Index leaf_rows = 128; // consecutive batch rows that form one chain in sums over the batch

// Cache lines, one after the other.
constexpr Index line_bytes = 64;
template <class T> constexpr Index line_elements = line_bytes / static_cast<Index>(sizeof(T));
struct Lines {
    const char *first;
    Index count;
};

// Runs of lines that this thread reads soon, on their way to its caches: a set may fetch some of the first beside its arithmetic, which it
// then takes away.
struct Ahead {
    Lines *next, *end;
};

// How a row is copied: each of `count` turns copies a line, none where `to` is null, and asks for a line of the row at `ahead`.
template <class T> struct Copy {
    const T *from;
    T *to;
    const T *ahead;
    Index count;
};

// Copies, of which a set may make some of the first beside its arithmetic, which it then takes away.
template <class T> struct Copies {
    Copy<T> *next = nullptr, *end = nullptr;
};

// The largest magnitudes of a matrix, lane by lane; a NaN is larger than all.
template <class T> struct Seen {
    alignas(line_bytes) T lanes[line_elements<T>] = {};
    bool all = false; // of what a product was to look at; else its lanes mean nothing
};

// A product that updates C, which holds weights, by "sgd": A·B is their gradient, and is not written.
template <class T> struct Descent {
    const T *constants;
    Seen<T> largest = {}; // new |w|
};

// C (M,N) = A (M,K) · B (K,N). Each element is one chain of fused multiply-adds over k = 0 … K-1 that starts from +0, or
// from C itself when `accumulate`, and ends with + 0: never -0. N is arbitrary; nothing outside the N columns is read or written.
template <class T> struct Product {
    Index M, N, K;
    const T *a; // A[i,k] at a[i * a_row + k * a_column]: rows, or columns, of anything
    Index a_row, a_column;
    const T *b; // B[k,j] at b[k * b_row + j]
    Index b_row;
    T *c; // C[i,j] at c[i * c_row + j]
    Index c_row;
    bool accumulate;
    // Two arrays that this thread alone reads and writes now, and whose elements [i,j] it changes soon: at along[i * along_row + j], and
    // for j < across_rows at across[j * across_row + i]; in rows of whole cache lines. A set may get the lines beside the arithmetic, and
    // write what they hold. Null: none.
    T *along = nullptr;
    Index along_row = 0;
    T *across = nullptr;
    Index across_row = 0, across_rows = 0;
    bool others_read = false;      // other threads have read these lines
    bool others_read_c = false;    // and those of C, whose elements this thread alone reads and writes, too
    Ahead *ahead = nullptr;        // or null: nothing
    Copies<T> *copies = nullptr;   // or null: none; given together with `ahead`
    Seen<T> *seen = nullptr;       // or null. A set may look at A beside the arithmetic, all of it or none, and ask for the rows behind
    Descent<T> *descent = nullptr; // or null: matmul alone, of columns of A (a_row is 1), not accumulated
};

// A product of one row and at most so many of B may read these from end to end: for a B that comes from memory.
constexpr Index streamed_depth = 16;

// What an activation's backward kernel reads: the layer's output h, or its input z; `nothing` where there is no such kernel.
enum class Needs { output, input, nothing };

template <class T> struct ActivationKernels {
    const char *name;
    Needs needs;
    bool whole_rows; // true: an output depends on its whole row (softmax)
    // y[i] = f(x[i]); denormals kept. A softmax treats x as one row.
    void (*apply)(const T *x, T *y, Index n, T alpha);
    // z ← z + bias where bias is not null (one IEEE addition); h = f(z), flushed. z and h may be the same memory unless
    // needs is `input`; z is then left holding the sum. Returns the largest |h|.
    T (*forward)(const MatrixView<T> &z, const T *bias, const MatrixView<T> &h, T alpha);
    // d ← flushed(d · f'(saved)), saved being h or z as `needs` says. For softmax d ← h · (d − Σ_j d_j h_j). Returns the
    // largest |d|. Padding of d that was zero stays zero. Null where nothing can be trained through the activation (step).
    T (*backward)(const MatrixView<T> &d, const MatrixView<const T> &saved, T alpha);
};

// A plain function for tests and tables: y[i] = f(x[i]), denormals kept.
template <class T> struct FunctionKernels {
    const char *name;
    void (*apply)(const T *x, T *y, Index n);
};

enum class TargetKind { labels, values };

// Targets of the rows of a panel. Row r of the panel is row `rows[r]` of the data set, or `first + r` where rows is null.
template <class T> struct Targets {
    const int32_t *labels; // (n,), checked to lie in [0, O); null for values
    const T *values;       // (n, O), rows `stride` apart; null for labels
    Index stride;
    const int32_t *rows; // (B,) or null
    Index first;
    const T *weights = nullptr; // (n,): a row's loss and gradient are multiplied by its own; null: by 1
};

template <class T> struct LossKernels {
    const char *name;
    TargetKind target;
    bool per_element; // the mean is over rows and columns (mean squared error), not over rows alone
    // From the last layer's output z: losses[r] is the sum of row r's loss times its weight w_r, d = (scale · w_r) · ∂loss/∂z
    // flushed (padding written as zero). Returns the largest |d|; `largest_loss` receives the largest |losses|. d may be z itself.
    // `parameter` is the loss's one number (huber: delta); most have none.
    T (*gradient)(const MatrixView<const T> &z, const Targets<T> &targets, const MatrixView<T> &d, T scale, T parameter, T *losses,
                  T *largest_loss);
};

// An optimizer's moments of a parameter, null where it has none, and the block of it that is meant. They lie in strips of 32 columns, the
// last perhaps of 16, in each one row after the other. So a tile reads and writes runs of memory without a line of another thread's in
// between, which prefetchers would take from that thread's cache (measured with two cores that share none: 1.7 ms for the updates of
// 784-512-512-10 with rows of all columns, against 1.3), and where rows are shared out, too, its runs are few: with strips of 16 columns a
// step of 17-64-64-6 on two threads took 2 % longer.
constexpr Index moment_columns = 32;
template <class T> struct Moments {
    T *first, *second;
    Index rows, columns; // of the parameter, columns in whole paddings
    Index row, column;   // where the block begins: with a strip

    struct Strip {
        Index at, stride; // element [r, c + j] of the block at first[at + r * stride + j]
    };
    // From the block's column c on, where a strip begins. Inlined, as a kernel set must not export a copy of it.
    [[gnu::always_inline]] Strip strip(Index c) const {
        const Index left = columns - column - c, stride = left < moment_columns ? left : moment_columns;
        return {(column + c) * rows + row * stride, stride};
    }
};

// One update of a block of parameters. `constants` are `most_constants`, of which the first are those that the row in updates.inl names,
// computed in double and rounded once. New moments are flushed. Returns the largest new |w|.
constexpr Index most_constants = 8;
template <class T> struct OptimizerKernels {
    const char *name;
    int moments; // 0, 1 or 2 buffers beside the parameters
    T (*update)(const MatrixView<T> &w, const MatrixView<const T> &g, const Moments<T> &moments, const T *constants);
    bool descends; // it is that of a Descent
};

// Which elements a dropout keeps. Element [r,c] of a panel has word c % 4 of the Philox 4x32-10 block at the counter
// (first + r · row_blocks + c / 4, step, epoch, purpose) under `key`, and stays where the word's upper 24 bits reach `threshold`.
struct DropoutMask {
    uint32_t key[2];
    uint32_t step, epoch, purpose;
    uint32_t first, row_blocks;
    int32_t threshold;
};

// Work on a normalization's panels; x̂ is the normalized x. γ may be null: 1.
template <class T> struct NormalizationKernels {
    // out[c] = Σ_r (x[r,c] - mean[c])² and Σ_r d[r,c] · x[r,c]: a chain of fused multiply-adds per column, row order, from +0
    void (*squares)(const MatrixView<const T> &x, const T *mean, T *out);
    void (*products)(const MatrixView<const T> &d, const MatrixView<const T> &x, T *out);
    // x̂ = flushed((x - mean[c]) · root[c]); z = γ · x̂. z may be x̂'s memory or x's, x̂'s not x's
    void (*columns)(const MatrixView<const T> &x, const T *mean, const T *root, const T *gamma, const MatrixView<T> &normalized,
                    const MatrixView<T> &z);
    // dx = factor[c] · fma(-x̂, slope[c], dz - shift[c]). Padding is not written
    void (*columns_backward)(const MatrixView<const T> &dz, const MatrixView<const T> &normalized, const T *factor, const T *shift,
                             const T *slope, const MatrixView<T> &dx);
    // The same by rows, with μ = Σ_c x / O and roots[r] = 1 / √(Σ_c (x - μ)² / O + ε). Returns NaN where a variance is not
    // finite, else 0
    T (*rows)(const MatrixView<const T> &x, T epsilon, const T *gamma, const MatrixView<T> &normalized, T *roots, const MatrixView<T> &z);
    // g = dz · γ; dx = roots[r] · fma(-x̂, Σ_c g · x̂ / O, g - Σ_c g / O). Padding is not written
    void (*rows_backward)(const MatrixView<const T> &dz, const MatrixView<const T> &normalized, const T *roots, const T *gamma,
                          const MatrixView<T> &dx);
};

// Rows of a data set on their way into the batch: out[r,c] = T(x[rows[r], c]) · scale + offset, the product and the sum
// rounded separately, `scaled` false meaning plain conversion. Returns the largest |out|; padding is written as zero.
template <class T, class Source>
using Gather = T (*)(const MatrixView<const Source> &x, const int32_t *rows, Index first, const MatrixView<T> &out, bool scaled, T scale,
                     T offset);

template <class T> struct Kernels {
    Index width;                   // elements per vector
    Index short_width;             // of those that a product's last columns may take: half of it, or the same
    Index shared_columns;          // the most that, after two vectors and more, cost a product no more than their share of one
    bool looks;                    // whether matmul may look at A where C has two and more vectors of columns
    Index tile_rows, tile_columns; // of C, that a product keeps in registers
    void (*matmul)(const Product<T> &product);
    // The same bits where all of B is finite; leaves out the terms whose A[i,k] is ±0. a_column is 1
    void (*sparse_matmul)(const Product<T> &product);
    // The same bits where B[k,j] is at b[j * b_row + k]. a_column is 1, C not accumulated
    void (*turned_matmul)(const Product<T> &product);
    Index turned_rows;                                                          // of A: with more it is faster to turn all of B before
    Index (*nonzeros)(const MatrixView<const T> &x);                            // elements that are not ±0, exact to 2²⁴; a NaN is not
    void (*transpose)(const MatrixView<const T> &in, T *out, Index out_stride); // out[c, r] = in[r, c]; writes nothing else
    void (*column_sums)(const MatrixView<const T> &d, T *out);                  // one chain of additions per column, row order, from +0
    void (*add)(T *a, const T *b, Index n);                                     // a ← a + b: one node of the tree over leaves
    T (*largest)(const MatrixView<const T> &x);                                 // the largest |x|
    void (*argmax)(const MatrixView<const T> &x, int32_t *out);                 // first column of each row's maximum; a NaN wins
    void (*peak)(T *x, Index steps, T factor, T addend); // x[i] ← fma(x[i], factor, addend) `steps` times, in registers
    Index peak_elements;                                 // of x: as many independent chains as hide the latency
    // out = flushed(x · scale) where the mask keeps, else +0. Padding is not written. Returns the largest |out|. out may be x
    T (*dropout)(const MatrixView<const T> &x, const DropoutMask &mask, T scale, const MatrixView<T> &out);
    NormalizationKernels<T> normalization;
    Gather<T, float> gather_float32;
    Gather<T, double> gather_float64;
    Gather<T, uint8_t> gather_uint8;
    void (*row_squares)(const MatrixView<const T> &x, double *out); // out[r] = Σ_j x[r,j]² in double, a sum of rows in 16 lanes
    // out = g · scale, and where that is beyond ± bound the bound; NaN stays. out may be g.
    void (*clip)(const MatrixView<const T> &g, const MatrixView<T> &out, T scale, T bound);
    void (*row_magnitudes)(const MatrixView<const T> &x, double *out);                     // out[r] = Σ_j |x[r,j]|, as row_squares
    void (*penalize)(const MatrixView<T> &g, const MatrixView<const T> &w, T l1, T slope); // g ← fma(slope, w, g) + l1 · sign(w)
    const FunctionKernels<T> *functions;                                                   // each table ends with a row whose name is null
    const ActivationKernels<T> *activations;
    const LossKernels<T> *losses;
    const OptimizerKernels<T> *optimizers;
};

// Bits of KernelSet::features; what each stands for is known to dispatch.cpp alone.
enum Feature : uint32_t { feature_none = 0, feature_avx2 = 1, feature_fma = 2, feature_avx512 = 4 };

struct KernelSet {
    const char *name;
    const char *description;
    uint32_t features; // all of these must be present
    Kernels<float> float32;
    Kernels<double> float64;
};

} // namespace ganglion
