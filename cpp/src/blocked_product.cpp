#include "ganglion/blocked_product.hpp"
#include "ganglion/threads.hpp"
#include <algorithm>
#include <new>

namespace ganglion {
namespace {

// Blocks in the manner of Goto and van de Geijn (2008, doi:10.1145/1356052.1356053): some rows of A and of C stay in L2 while columns of
// B, as wide as a register tile, pass by. Figures are GFLOP/s of a Zen 4 core, 118 at most, M×K×N, with NumPy's in brackets. 640³: 100 to
// 104 so, 92 to 97 with all rows at once (94–98); 6000×784×512: 106 and 92 (98).
constexpr Index block_bytes = 224 << 10; // of A and C; with 112 and 400 KiB it is 0 to 3 % slower
constexpr Index long_depth = 1024;       // of k: with 384 2048³ is 6 % slower, as a tile of C costs to load and store
constexpr Index turned_depth = 512;      // of a transposed A, so that more of its rows follow one another: see repays_turning
constexpr Index block_columns = 1024;    // of a packed B: 4 MiB of L3
constexpr Index large = 4 << 20;         // bytes of B: from here on caches never serve it in place

struct Blocking {
    Index rows, columns, depth;
    bool copies_a, packs_b;
};

Index pieces(Index n, Index most) { return (n + most - 1) / most; }

// Rows a multiple of 4 KiB apart share a set of L1, those of a tile too. 128×1024×1000: 103 with a copy, 80 without; 256×2048×16: 76 and
// 56, but 16 rows 81 and 107, 2048 rows 48 and 54.
template <class T> bool repays_copy(const Kernels<T> &kernels, const Product<T> &p) {
    constexpr Index element = static_cast<Index>(sizeof(T));
    if (p.a_row * element % 4096 != 0 || p.K < 256) return false;
    return p.N >= 64 || (p.N >= 16 && p.M > 2 * kernels.tile_rows && p.M * p.K * element <= large);
}

// The same for a transposed A, whose columns are rows of memory. 1024³: 108 with a copy, 104 without (101); 1024×1024×64: 76 and 64 (77),
// but of 16 columns 65 and 105 (55). And where B's next columns should be fetched, which is done beside rows alone: 100×1024×1024: 88 and
// 51 (77). With 512 of k in place of 1024 2048×2048×16 runs at 40 in place of 29 (34), 2048×2048×64 at 73 in place of 60 (66).
template <class T> bool repays_turning(const Product<T> &p, bool fetches_b) {
    constexpr Index element = static_cast<Index>(sizeof(T));
    if (p.a_column * element % 4096 != 0) return fetches_b && p.N >= 256;
    return p.N >= 256 || (p.N >= 64 && p.K >= 1024) || p.M * p.K * element > 2 * large;
}

template <class T> Blocking blocking_of(const Kernels<T> &kernels, const Product<T> &p, bool b_by_columns) {
    constexpr Index element = static_cast<Index>(sizeof(T));
    const Index b_bytes = p.K * p.N * element;
    const bool a_by_columns = p.a_column != 1;
    // Few rows wait for B. One or two read it nearly as it lies, a few whole rows at a time: 1×2048×2048: 18, by columns 8 (18). So does
    // one where a vector of B is in two lines: 1×1000×999: 33, by columns 26 (33).
    const bool across_lines = (p.b_row * element | static_cast<Index>(reinterpret_cast<std::uintptr_t>(p.b))) % line_bytes != 0;
    if (!b_by_columns && p.M <= 2 && (b_bytes > large || (p.M == 1 && across_lines && b_bytes > large / 8)))
        return {p.M, p.N, std::min(p.K, streamed_depth), false, false};
    // With more it is repaid to pack what L2 holds, read in the same way: 16×2048×2048: 57, in place 24 (37).
    if (b_bytes > large && p.M <= 2 * kernels.tile_rows) return {p.M, 512, std::min<Index>(p.K, 256), a_by_columns, true};
    // Panels in one piece each spare pages and what prefetchers do not foresee; of a B that is not large, only many rows repay them.
    // 98×784×2048: 96, in place 28 to 57 (85). Where all rows are one block, each panel is packed just before it is used. Fewer rows do
    // where B is passed by in two blocks of k: 256×2048×256 87 to 95, in place 65 to 103, as its pages happen to lie (79 to 93).
    const bool packs_b = b_by_columns || b_bytes > large || (b_bytes >= large / 4 && p.M >= (p.K > long_depth ? 160 : 400));
    const bool copies_a = a_by_columns ? repays_turning(p, !packs_b && b_bytes > large / 4) : repays_copy(kernels, p);
    const Index depth = pieces(p.K, pieces(p.K, copies_a && a_by_columns ? turned_depth : long_depth));
    const Index most = block_bytes / element / (depth + std::min(p.N, depth));
    const Index rows = round_up(pieces(p.M, pieces(p.M, std::max(kernels.tile_rows, most))), kernels.tile_rows);
    return {rows, !packs_b ? p.N : rows >= p.M ? kernels.tile_columns : block_columns, depth, copies_a, packs_b};
}

// Columns of B from (k, j) on as panels of `width` columns, row after row. By a few rows at a time, which are read as they lie: by panels
// 768³ takes 3 % longer.
template <class T>
void pack_columns(const Kernels<T> &kernels, const Product<T> &p, bool b_by_columns, Index k, Index ks, Index j, Index columns, Index width,
                  T *to) {
    if (b_by_columns) {
        for (Index c = 0; c < columns; c += width)
            kernels.transpose({p.b + (j + c) * p.b_row + k, std::min(width, columns - c), ks, p.b_row}, to + c * ks, width);
        return;
    }
    constexpr Index few = 8;
    for (Index first = 0; first < ks; first += few)
        for (Index c = 0; c < columns; c += width)
            for (Index r = first; r < std::min(ks, first + few); ++r)
                std::copy_n(p.b + (k + r) * p.b_row + j + c, std::min(width, columns - c), to + c * ks + r * width);
}

// All of A, row after row.
template <class T> void copy_rows(const Kernels<T> &kernels, const Product<T> &p, T *to, Index to_row) {
    if (p.a_column != 1) return kernels.transpose({p.a, p.K, p.M, p.a_column}, to, to_row);
    for (Index r = 0; r < p.M; ++r) std::copy_n(p.a + r * p.a_row, p.K, to + r * to_row);
}

// A block of rows, by panels of a packed B.
template <class T> void multiply_panels(const Kernels<T> &kernels, const Product<T> &block, const T *packed, Index width) {
    Product<T> panel = block;
    panel.b_row = width;
    for (Index c = 0; c < block.N; c += width) {
        panel.N = std::min(width, block.N - c);
        panel.b = packed + c * block.K;
        panel.c = panel.along = block.c + c;
        kernels.matmul(panel);
    }
}

// False: there is no such memory. A thread of a team must not throw.
template <class T> bool reserve(Buffer<T> &buffer, Index size) try {
    if (buffer.size() < size) buffer = Buffer<T>(size);
    return true;
} catch (const std::bad_alloc &) {
    return false;
}

// False: nothing was done, for want of memory.
template <class T> bool multiply_blocks(const Kernels<T> &kernels, const Product<T> &p, bool b_by_columns, const Blocking &blocking) {
    const Index width = kernels.tile_columns, a_row = row_stride(blocking.depth);
    static thread_local Buffer<T> a, b; // kept, at most 5 MiB a thread, of doubles 9: new pages cost 2 to 6 % of 768³
    if (blocking.copies_a && !reserve(a, blocking.rows * a_row)) return false;
    if (blocking.packs_b && !reserve(b, round_up(std::min(p.N, blocking.columns), width) * blocking.depth)) return false;
    const T *copied = nullptr;
    for (Index k = 0; k < p.K; k += blocking.depth)
        for (Index j = 0; j < p.N; j += blocking.columns) {
            Product<T> columns = p;
            columns.N = std::min(blocking.columns, p.N - j);
            columns.K = std::min(blocking.depth, p.K - k);
            columns.b = b_by_columns ? nullptr : p.b + k * p.b_row + j;
            columns.accumulate = k > 0;
            columns.along_row = p.c_row;
            if (blocking.packs_b) pack_columns(kernels, p, b_by_columns, k, columns.K, j, columns.N, width, b.data());
            for (Index i = 0; i < p.M; i += blocking.rows) {
                Product<T> block = columns;
                block.M = std::min(blocking.rows, p.M - i);
                block.a = p.a + i * p.a_row + k * p.a_column;
                block.c = block.along = p.c + i * p.c_row + j;
                if (blocking.copies_a) {
                    if (copied != block.a) copy_rows(kernels, block, a.data(), a_row);
                    copied = block.a;
                    block.a = a.data();
                    block.a_row = a_row;
                    block.a_column = 1;
                }
                if (blocking.packs_b) multiply_panels(kernels, block, b.data(), width);
                else kernels.matmul(block);
            }
        }
    return true;
}

// The part of a product that one thread of a team computes: rows or columns of C, whole tiles of them.
template <class T> Product<T> part_of(const Kernels<T> &kernels, Product<T> p, bool b_by_columns, int thread, int team) {
    const bool by_rows = p.M >= p.N;
    const Index unit = by_rows ? kernels.tile_rows : kernels.tile_columns, n = by_rows ? p.M : p.N, tiles = pieces(n, unit);
    const Index first = std::min(n, tiles * thread / team * unit), end = std::min(n, tiles * (thread + 1) / team * unit);
    if (by_rows) {
        p.M = end - first;
        p.a += first * p.a_row;
        p.c += first * p.c_row;
    } else {
        p.N = end - first;
        p.b += first * (b_by_columns ? p.b_row : 1);
        p.c += first;
    }
    return p;
}

// Where there is no memory for blocks.
template <class T> void multiply_in_place(const Kernels<T> &kernels, const Product<T> &p, bool b_by_columns) {
    if (!b_by_columns) return kernels.matmul(p);
    if (p.a_column == 1) return kernels.turned_matmul(p);
    for (Index j = 0; j < p.N; ++j) {
        const T *const column = p.b + j * p.b_row;
        kernels.matmul({p.M, 1, p.K, p.a, p.a_row, p.a_column, column, 1, p.c + j, p.c_row, false});
    }
}

template <class T> void multiply_part(const Kernels<T> &kernels, const Product<T> &p, bool b_by_columns) {
    if (p.M == 0 || p.N == 0) return;
    if (b_by_columns && p.a_column == 1 && p.M <= kernels.turned_rows) return kernels.turned_matmul(p);
    const Blocking blocking = blocking_of(kernels, p, b_by_columns);
    if (blocking.rows >= p.M && blocking.depth == p.K && !blocking.copies_a && !blocking.packs_b) kernels.matmul(p);
    else if (!multiply_blocks(kernels, p, b_by_columns, blocking)) multiply_in_place(kernels, p, b_by_columns);
}

} // namespace

template <class T> void multiply_blocked(const Kernels<T> &kernels, const Product<T> &product, bool b_by_columns, int team) {
    parallel(team, [&](int thread, int ran) {
        multiply_part(kernels, ran == 1 ? product : part_of(kernels, product, b_by_columns, thread, ran), b_by_columns);
    });
}

template void multiply_blocked(const Kernels<float> &, const Product<float> &, bool, int);
template void multiply_blocked(const Kernels<double> &, const Product<double> &, bool, int);

} // namespace ganglion
