// The forward and backward product of a dense layer, as views handed to the kernel set.
#pragma once
#include "ganglion/dispatch.hpp"
#include <algorithm>

namespace ganglion {

// Columns to compute so that whole vectors, a power of two wide, are used: rows of network buffers are padded with zeros beyond.
template <class T> Index whole_vectors(const Kernels<T> &kernels, Index columns) { return (columns + kernels.width - 1) & -kernels.width; }

// The same where a half vector may be the last, and no more columns than there are where rows may share vectors for the last few.
template <class T> Index product_columns(const Kernels<T> &kernels, Index columns) {
    if (columns >= 2 * kernels.width && (columns & (kernels.width - 1)) <= kernels.shared_columns) return columns;
    return (columns + kernels.short_width - 1) & -kernels.short_width;
}

// The share of x that is not zero, of some of its rows; 1 where a product of so few columns would not gain by leaving zeros out.
template <class T> double density(const Kernels<T> &kernels, const MatrixView<const T> &x, Index columns) {
    if (columns < 4 * kernels.width || x.rows == 0 || x.columns < 32) return 1;
    const Index step = std::max<Index>(1, x.rows / 4), rows = (x.rows + step - 1) / step;
    return static_cast<double>(kernels.nonzeros({x.data, rows, x.columns, step * x.stride})) / static_cast<double>(rows * x.columns);
}
constexpr double sparse_density = 0.6; // below it the terms that are zero are left out (measured: sparse_matmul.inl)

// z (B,O) = x (B,I) · w (I,O); also dx (B,I) = dz (B,O) · wᵀ (O,I) with the transposed copy as w.
template <class T>
Product<T> product_of(const Kernels<T> &kernels, const MatrixView<const T> &x, const MatrixView<const T> &w, const MatrixView<T> &z) {
    return {x.rows, product_columns(kernels, z.columns), w.rows, x.data, x.stride, 1, w.data, w.stride, z.data, z.stride, false};
}

// Such a product, of which so many columns belong to z. `finite`: all of w is. Returns whether the zeros of x were left out.
template <class T> bool multiply(const Kernels<T> &kernels, const Product<T> &product, Index columns, bool finite) {
    const bool sparse = finite && density(kernels, {product.a, product.M, product.K, product.a_row}, columns) < sparse_density;
    (sparse ? kernels.sparse_matmul : kernels.matmul)(product);
    return sparse;
}

template <class T> T largest_lane(const Kernels<T> &kernels, const Seen<T> &seen) {
    return kernels.largest({seen.lanes, 1, line_elements<T>, line_elements<T>});
}

// The largest |A| of a product that was given `seen`; by a pass of its own where the kernels did not look.
template <class T> T largest_of(const Kernels<T> &kernels, const Product<T> &product) {
    if (product.seen->all) return largest_lane(kernels, *product.seen);
    return kernels.largest({product.a, product.M, product.K, product.a_row});
}

} // namespace ganglion
