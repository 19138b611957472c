// The data set: x read in place in the type it has, targets as checked copies.
#pragma once
#include "ganglion/ahead.hpp"
#include "ganglion/arena.hpp"
#include "ganglion/dispatch.hpp"
#include <string>
#include <variant>
#include <vector>

namespace ganglion {

using Source = std::variant<MatrixView<const float>, MatrixView<const double>, MatrixView<const std::uint8_t>>;

template <class T> struct Feed {
    Source x; // (n, I)
    std::vector<std::int32_t> labels;
    std::int32_t largest_label = -1;
    Buffer<T> values; // (n, O), rows `stride` apart
    Index value_columns = 0, stride = 0;
    Buffer<T> weights; // (n,) of the rows' losses, or empty: all 1

    Index rows() const {
        return std::visit([](const auto &view) { return view.rows; }, x);
    }
    Index columns() const {
        return std::visit([](const auto &view) { return view.columns; }, x);
    }
    Index bytes() const { // of x
        return std::visit([](const auto &view) { return view.rows * view.stride * static_cast<Index>(sizeof(*view.data)); }, x);
    }
};

// Labels must not be negative; throws std::invalid_argument naming the first that is.
template <class T> void set_labels(Feed<T> &feed, std::vector<std::int32_t> labels);
// Copies (n, O) values into padded rows.
template <class T> void set_values(Feed<T> &feed, MatrixView<const T> values);

// Copies (n,) weights; throws std::invalid_argument naming the first that is negative or, in T, not finite.
template <class T> void set_weights(Feed<T> &feed, const double *weights, Index n);

// The rows of x as they are, when they need neither conversion nor gathering and do not share cache sets; null data otherwise.
template <class T> MatrixView<const T> rows_in_place(const Source &x, Index first, Index rows);

// Appends the lines that rows of x lie on, as `gather` reads them.
void append_lines(const Source &x, const std::int32_t *order, Index first, Index rows, std::vector<Lines> &lines);

// out[r] = row `order[r]` of x, or `first + r` where order is null, converted and, if `scaled`, times scale plus offset;
// returns the largest |out|, NaN before all.
template <class T>
T gather(const Kernels<T> &kernels, const Source &x, const std::int32_t *order, Index first, MatrixView<T> out, bool scaled = false,
         T scale = 1, T offset = 0);

// Throws NonFiniteInput naming the first row and column of x that T cannot hold as a finite number, or else the layer that
// rescaled x.
template <class T> [[noreturn]] void throw_non_finite(const Source &x, const std::string &rescale = {});

} // namespace ganglion
