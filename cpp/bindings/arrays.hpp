// NumPy arrays as views, checked: what the core reads in place must have the type, the rank and rows without gaps.
#pragma once
#include "ganglion/feed.hpp"
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

namespace ganglion::bindings {

namespace py = pybind11;

// x (n, I) of float32, float64 or uint8, aligned, in native byte order, with contiguous rows. TypeError, ValueError else.
Source source_of(const py::array &x);

// A two- or one-dimensional array of exactly T as rows and columns; a vector of n elements is (1, n). Rows may be strided.
template <class T> MatrixView<const T> matrix_of(const py::array &array, const char *name);

// A live view of memory that `owner` keeps; NumPy may not write to it.
template <class T> py::array read_only_view(const T *data, const std::vector<py::ssize_t> &shape, Index stride, const py::object &owner);

} // namespace ganglion::bindings
