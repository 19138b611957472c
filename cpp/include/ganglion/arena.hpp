// Memory of the core: zeroed, aligned to a cache line, copyable as a value.
#pragma once
#include "ganglion/matrix.hpp"
#include <cstring>
#include <utility>

namespace ganglion {

// Large blocks start on a 2 MiB page where the system has them: a weight matrix read in place otherwise costs a page walk
// every second row.
void *allocate_zeroed(std::size_t bytes);
void release(void *memory) noexcept;

// `size` elements, all zero at first. T is a plain number.
template <class T> class Buffer {
  public:
    Buffer() = default;
    explicit Buffer(Index size) : data_(static_cast<T *>(allocate_zeroed(static_cast<std::size_t>(size) * sizeof(T)))), size_(size) {}
    Buffer(const Buffer &other) : Buffer(other.size_) { copy(other); }
    Buffer(Buffer &&other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Buffer &operator=(const Buffer &other) {
        if (size_ != other.size_) *this = Buffer(other.size_);
        copy(other); // in place: views that Python holds stay valid
        return *this;
    }
    Buffer &operator=(Buffer &&other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Buffer() { release(data_); }

    T *data() { return data_; }
    const T *data() const { return data_; }
    Index size() const { return size_; }
    T &operator[](Index i) { return data_[i]; }
    const T &operator[](Index i) const { return data_[i]; }

  private:
    void copy(const Buffer &other) {
        if (size_ > 0) std::memcpy(data_, other.data_, static_cast<std::size_t>(size_) * sizeof(T));
    }

    T *data_ = nullptr;
    Index size_ = 0;
};

constexpr Index round_up(Index n, Index unit) { return (n + unit - 1) / unit * unit; }

// Elements from one row of `columns` to the next: whole groups of 16, and never a multiple of 128, at which rows share
// cache sets (measured: 142 instead of 183 GFLOP/s at 126 × 784 × 512 with rows 2 KiB apart).
constexpr Index row_stride(Index columns) {
    const Index stride = round_up(columns, 16);
    return stride % 128 == 0 ? stride + 16 : stride;
}

// a · b and a + b elements, refusing what no memory could hold.
Index checked_product(Index a, Index b);
Index checked_sum(Index a, Index b);

} // namespace ganglion
