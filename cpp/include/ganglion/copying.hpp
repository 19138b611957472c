// Rows of x on their way into the next batch, copied beside the arithmetic of this one.
#pragma once
#include "ganglion/feed.hpp"
#include <vector>

namespace ganglion {

// Rows that are copied as they are, not converted: whole lines of them by products that are given `copies`, the rest by `finish`.
template <class T> class Copying {
  public:
    static bool suits(const Source &x, bool scaled); // whether they are of T and taken as they are
    void reserve(Index rows);
    // out[r] is to be row `order[r]` of x, or `first + r` where order is null.
    void begin(const Source &x, const std::int32_t *order, Index first, MatrixView<T> out);
    Index finish(); // returns how many lines were copied beside products

    Copies<T> copies;

  private:
    MatrixView<const T> x_ = {};
    const std::int32_t *order_ = nullptr;
    Index first_ = 0;
    MatrixView<T> out_ = {};
    std::vector<Copy<T>> runs_;

    const T *row(Index r) const { return x_.data + (order_ ? order_[r] : first_ + r) * x_.stride; }
};

} // namespace ganglion
