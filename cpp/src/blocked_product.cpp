#include "ganglion/blocked_product.hpp"
#include "ganglion/threads.hpp"
#include <algorithm>

namespace ganglion {
namespace {

// Blocks in the manner of Goto and van de Geijn (2008, doi:10.1145/1356052.1356053): some rows of A stay in L2 while panels of B,
// as wide as a register tile, pass by. On Zen 4, 118 GFLOP/s at most, 2048³ in float32 runs at 103 GFLOP/s with a depth of 384, at
// 106 with 512, at 110 with 1024: what a tile of C costs to load and store counts for more than that its operands leave L1.
constexpr Index depth = 1024;         // of k
constexpr Index block_rows = 112;     // of A: 512 KiB of L2
constexpr Index block_columns = 1024; // of B: 4 MiB of L3

template <class T> struct Packed {
    Buffer<T> a, b;
};

// Rows of A from (i, k) on as panels of `height` rows; element [r, c] of a panel at [c * stride + r].
template <class T>
void pack_rows(const Kernels<T> &kernels, const Product<T> &p, Index i, Index rows, Index k, Index ks, Index height, Index stride, T *to) {
    for (Index r = 0; r < rows; r += height, to += ks * stride)
        kernels.transpose({p.a + (i + r) * p.a_row + k, std::min(height, rows - r), ks, p.a_row}, to, stride);
}

// Columns of B from (k, j) on as panels of `width` columns, row after row.
template <class T> void pack_columns(const Product<T> &p, Index k, Index ks, Index j, Index columns, Index width, T *to) {
    for (Index c = 0; c < columns; c += width, to += ks * width) {
        const Index count = std::min(width, columns - c);
        const T *from = p.b + k * p.b_row + j + c;
        for (Index r = 0; r < ks; ++r) std::copy_n(from + r * p.b_row, count, to + r * width);
    }
}

Index pieces(Index n, Index most) { return (n + most - 1) / most; }

template <class T> void multiply_packed(const Kernels<T> &kernels, const Product<T> &p) {
    const Index most_rows = kernels.tile_rows, width = kernels.tile_columns, stride = round_up(most_rows, kernels.width);
    const Index block_depth = pieces(p.K, pieces(p.K, depth));
    const Index most = std::max(most_rows, block_rows / most_rows * most_rows);
    Packed<T> packed{Buffer<T>(pieces(std::min(p.M, most), most_rows) * stride * block_depth),
                     Buffer<T>(round_up(std::min(p.N, block_columns), width) * block_depth)};
    for (Index j = 0; j < p.N; j += block_columns) {
        const Index columns = std::min(block_columns, p.N - j);
        for (Index k = 0; k < p.K; k += block_depth) {
            const Index ks = std::min(block_depth, p.K - k);
            pack_columns(p, k, ks, j, columns, width, packed.b.data());
            for (Index i = 0; i < p.M; i += most) {
                const Index rows = std::min(most, p.M - i);
                const Index height = pieces(rows, pieces(rows, most_rows)); // no thin tile at the end
                pack_rows(kernels, p, i, rows, k, ks, height, stride, packed.a.data());
                for (Index c = 0; c < columns; c += width)
                    for (Index r = 0; r < rows; r += height) {
                        T *to = p.c + (i + r) * p.c_row + j + c;
                        kernels.matmul({std::min(height, rows - r), std::min(width, columns - c), ks,
                                        packed.a.data() + r / height * stride * ks, 1, stride, packed.b.data() + c * ks, width, to, p.c_row,
                                        p.accumulate || k > 0, to, p.c_row});
                    }
            }
        }
    }
}

// Whether packing is repaid: where rows of A lie a multiple of 4 KiB apart, so that those of a tile share a set of L1 (1024³: 110 in
// place of 80 GFLOP/s), or where B is larger than what pages and L2 can hold; for fewer rows or columns it never is.
template <class T> bool wants_packing(const Product<T> &p) {
    constexpr Index page = 4096 / static_cast<Index>(sizeof(T)), large = (Index{8} << 20) / static_cast<Index>(sizeof(T));
    if (p.a_column != 1 || p.M < 64 || p.N < 64) return false;
    return (p.a_row % page == 0 && p.K >= 256) || p.K * p.N >= large;
}

// The part of a product that one thread of a team computes: rows or columns of C, whole tiles of them.
template <class T> Product<T> part_of(const Kernels<T> &kernels, Product<T> p, int thread, int team) {
    const bool by_rows = p.M >= p.N;
    const Index unit = by_rows ? kernels.tile_rows : kernels.tile_columns, n = by_rows ? p.M : p.N, tiles = pieces(n, unit);
    const Index first = std::min(n, tiles * thread / team * unit), end = std::min(n, tiles * (thread + 1) / team * unit);
    if (by_rows) {
        p.M = end - first;
        p.a += first * p.a_row;
        p.c += first * p.c_row;
    } else {
        p.N = end - first;
        p.b += first;
        p.c += first;
    }
    return p;
}

} // namespace

template <class T> void multiply_blocked(const Kernels<T> &kernels, const Product<T> &product, int team) {
    parallel(team, [&](int thread, int ran) {
        const Product<T> part = ran == 1 ? product : part_of(kernels, product, thread, ran);
        if (wants_packing(part)) multiply_packed(kernels, part);
        else kernels.matmul(part);
    });
}

template void multiply_blocked(const Kernels<float> &, const Product<float> &, int);
template void multiply_blocked(const Kernels<double> &, const Product<double> &, int);

} // namespace ganglion
