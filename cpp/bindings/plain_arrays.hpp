// A first look at arguments that costs nanoseconds, for calls that take microseconds.
#pragma once
#include "arrays.hpp"
#include <bit>

namespace ganglion::bindings {

// The array itself, not a subclass with a meaning of its own, aligned and in native byte order; null for anything else.
inline const py::detail::PyArray_Proxy *plain_array(const py::handle &object) {
    if (Py_TYPE(object.ptr()) != py::detail::npy_api::get().PyArray_Type_) return nullptr;
    const auto *array = py::detail::array_proxy(object.ptr());
    const char order = py::detail::array_descriptor_proxy(array->descr)->byteorder;
    const bool aligned = (array->flags & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
    return aligned && order != (std::endian::native == std::endian::little ? '>' : '<') ? array : nullptr;
}

// NumPy's letter for its type.
inline char type_of(const py::detail::PyArray_Proxy &array) { return py::detail::array_descriptor_proxy(array.descr)->type; }

} // namespace ganglion::bindings
