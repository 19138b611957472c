// NumPy arrays as the kernels' views, and network buffers for kernels that tests call one by one.
#pragma once
#include "ganglion/arena.hpp"
#include <algorithm>
#include <pybind11/numpy.h>
#include <stdexcept>
#include <string>

namespace ganglion {

inline void require(bool condition, const std::string &message) {
    if (!condition) throw std::invalid_argument(message);
}

template <class T> bool holds(const pybind11::array &x) { return pybind11::isinstance<pybind11::array_t<T>>(x); }

[[noreturn]] inline void throw_dtype(const char *name, const pybind11::array &x, const char *expected) {
    throw pybind11::type_error(std::string(name) + " has dtype " + std::string(pybind11::str(x.dtype())) + "; " + expected + " is needed");
}

// f(T{}) for the array's T, float or double.
template <class F> auto with_float(const char *name, const pybind11::array &x, F f) {
    if (holds<float>(x)) return f(0.0F);
    if (!holds<double>(x)) throw_dtype(name, x, "float32 or float64");
    return f(0.0);
}

// The array's own memory with its strides counted in elements.
template <class T> struct Strided {
    T *data;
    Index rows, columns, row_stride, column_stride;
};

template <class T> Strided<T> strided(const char *name, const pybind11::array &x) {
    using Element = std::remove_const_t<T>;
    if (!holds<Element>(x)) throw_dtype(name, x, std::string(pybind11::str(pybind11::dtype::of<Element>())).c_str());
    require(x.ndim() == 1 || x.ndim() == 2, std::string(name) + " has " + std::to_string(x.ndim()) + " dimensions; 1 or 2 are needed");
    constexpr Index size = sizeof(T);
    const Index last = x.ndim() - 1;
    const Index row = x.ndim() == 2 ? x.strides(0) : 0;
    require(row % size == 0 && x.strides(last) % size == 0 && reinterpret_cast<std::uintptr_t>(x.data()) % size == 0,
            std::string(name) + " is not aligned to its elements");
    T *data = nullptr;
    if constexpr (std::is_const_v<T>) data = static_cast<T *>(x.data());
    else data = static_cast<T *>(const_cast<pybind11::array &>(x).mutable_data()); // refuses a read-only array
    return {data, x.ndim() == 2 ? x.shape(0) : 1, x.shape(last), row / size, x.strides(last) / size};
}

// The same for arrays whose rows must be contiguous.
template <class T> MatrixView<T> rows_of(const char *name, const pybind11::array &x) {
    const Strided<T> all = strided<T>(name, x);
    require(all.column_stride == 1 || all.columns <= 1 || all.rows == 0, std::string(name) + " needs contiguous rows");
    return {all.data, all.rows, all.columns, all.row_stride};
}

// A buffer as the network has them: rows padded to 16 elements, here `misalign` elements off a cache line, with guards
// around and between the rows which no kernel may write.
template <class T> class Panel {
  public:
    Panel(Index rows, Index columns, Index misalign) : Panel(rows, columns, round_up(columns, padding), misalign) {}
    // A copy of an array, its padding zero.
    Panel(const char *name, const pybind11::array &x, Index misalign) : Panel(strided<const T>(name, x), padding, misalign) {}
    Panel(Panel &&) = default; // not a copy: the view points into the buffer

    // Rows that end without padding, as blocks of a larger matrix and plain vectors do.
    static Panel block(Index rows, Index columns, Index misalign) { return Panel(rows, columns, columns, misalign); }
    static Panel block(const char *name, const pybind11::array &x, Index misalign) { return Panel(strided<const T>(name, x), 1, misalign); }

    MatrixView<T> view() const { return view_; }
    MatrixView<const T> read() const { return {view_.data, view_.rows, view_.columns, view_.stride}; }
    T *data() const { return view_.data; }

    // The values as a new array: (rows, columns), the same with the rows' padding, or (rows · columns,).
    pybind11::array_t<T> array() const { return copied({view_.rows, view_.columns}, view_.columns); }
    pybind11::array_t<T> padded_array() const { return copied({view_.rows, row_end_}, row_end_); }
    pybind11::array_t<T> flat_array() const { return copied({view_.rows * view_.columns}, view_.columns); }

  private:
    static constexpr T guard = T(-98765.4321);
    static constexpr Index guard_elements = 64;

    Panel(Index rows, Index columns, Index row_end, Index misalign)
        : memory_(guard_elements + misalign + checked_product(rows, row_stride(columns)) + guard_elements),
          view_{memory_.data() + guard_elements + misalign, rows, columns, row_stride(columns)}, row_end_(row_end) {
        std::fill(memory_.data(), memory_.data() + memory_.size(), guard);
    }
    Panel(Strided<const T> from, Index unit, Index misalign) : Panel(from.rows, from.columns, round_up(from.columns, unit), misalign) {
        for (Index r = 0; r < from.rows; ++r) {
            for (Index c = 0; c < from.columns; ++c) row(r)[c] = from.data[r * from.row_stride + c * from.column_stride];
            std::fill(row(r) + from.columns, row(r) + row_end_, T(0));
        }
    }

    T *row(Index r) const { return view_.data + r * view_.stride; }

    pybind11::array_t<T> copied(std::vector<Index> shape, Index columns) const {
        Index written = count_written(memory_.data(), view_.data) + count_written(row(view_.rows), memory_.data() + memory_.size());
        for (Index r = 0; r < view_.rows; ++r) written += count_written(row(r) + row_end_, row(r + 1));
        if (written > 0) throw std::logic_error("the kernel wrote " + std::to_string(written) + " elements outside its buffer");
        pybind11::array_t<T> result(std::move(shape));
        T *to = result.mutable_data();
        for (Index r = 0; r < view_.rows; ++r) to = std::copy(row(r), row(r) + columns, to);
        return result;
    }
    static Index count_written(const T *begin, const T *end) {
        return std::count_if(begin, end, [](T x) { return !(x >= guard && x <= guard); });
    }

    Buffer<T> memory_;
    MatrixView<T> view_;
    Index row_end_;
};

} // namespace ganglion
