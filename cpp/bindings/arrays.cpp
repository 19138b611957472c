#include "arrays.hpp"

namespace ganglion::bindings {
namespace {

std::string describe(const py::array &array) {
    return "shape " + py::str(array.attr("shape")).cast<std::string>() + ", dtype " + py::str(array.dtype()).cast<std::string>();
}

template <class T> bool holds(const py::array &array) { return py::isinstance<py::array_t<T>>(array); }

bool aligned(const py::array &array) { return (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0; }

template <class T> MatrixView<const T> rows_of(const py::array &x) {
    const auto item = static_cast<py::ssize_t>(sizeof(T));
    const Index columns = x.shape(1);
    if (x.size() == 0) return {nullptr, x.shape(0), columns, columns};
    const bool gap = columns > 1 && x.strides(1) != item;
    // One row has no stride; NumPy may report any.
    const Index stride = x.shape(0) > 1 ? x.strides(0) / item : columns;
    if (gap || (x.shape(0) > 1 && x.strides(0) % item != 0) || stride < 0 || !aligned(x))
        throw py::value_error("x must have contiguous, aligned rows; got " + describe(x));
    return {static_cast<const T *>(x.data()), x.shape(0), columns, stride};
}

} // namespace

Source source_of(const py::array &x) {
    if (x.ndim() != 2) throw py::value_error("x must be two-dimensional (rows, features); got " + describe(x));
    if (holds<float>(x)) return rows_of<float>(x);
    if (holds<double>(x)) return rows_of<double>(x);
    if (holds<std::uint8_t>(x)) return rows_of<std::uint8_t>(x);
    throw py::type_error("x must be float32, float64 or uint8; got " + describe(x));
}

template <class T> MatrixView<const T> matrix_of(const py::array &array, const char *name) {
    const std::string what(name);
    if (!holds<T>(array))
        throw py::type_error(what + " must be " + py::str(py::dtype::of<T>()).cast<std::string>() + "; got " + describe(array));
    if (array.ndim() != 1 && array.ndim() != 2) throw py::value_error(what + " must have one or two dimensions; got " + describe(array));
    const auto item = static_cast<py::ssize_t>(sizeof(T));
    const int last = static_cast<int>(array.ndim()) - 1;
    const Index rows = last ? array.shape(0) : 1, columns = array.shape(last);
    if (array.size() == 0) return {nullptr, rows, columns, columns};
    const bool gap = columns > 1 && array.strides(last) != item;
    const Index stride = last && rows > 1 ? array.strides(0) / item : columns;
    if (gap || stride < 0 || (last && rows > 1 && array.strides(0) % item != 0) || !aligned(array))
        throw py::value_error(what + " must have contiguous, aligned rows; got " + describe(array));
    return {static_cast<const T *>(array.data()), rows, columns, stride};
}

template <class T> py::array read_only_view(const T *data, const std::vector<py::ssize_t> &shape, Index stride, const py::object &owner) {
    const auto item = static_cast<py::ssize_t>(sizeof(T));
    const std::vector<py::ssize_t> strides =
        shape.size() == 2 ? std::vector<py::ssize_t>{stride * item, item} : std::vector<py::ssize_t>{item};
    py::array view(py::dtype::of<T>(), shape, strides, data, owner);
    view.attr("flags").attr("writeable") = false;
    return view;
}

template MatrixView<const float> matrix_of(const py::array &, const char *);
template MatrixView<const double> matrix_of(const py::array &, const char *);
template MatrixView<const std::int32_t> matrix_of(const py::array &, const char *);
template py::array read_only_view(const float *, const std::vector<py::ssize_t> &, Index, const py::object &);
template py::array read_only_view(const double *, const std::vector<py::ssize_t> &, Index, const py::object &);

} // namespace ganglion::bindings
