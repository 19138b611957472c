// Activations by themselves, on arrays of any shape: what `ganglion.functional` computes with. Denormal numbers are kept.
#include "ganglion/threads.hpp"
#include "handles.hpp"
#include "plain_arrays.hpp"
#include <algorithm>
#include <array>
#include <cmath>

namespace ganglion::bindings {
namespace {

constexpr Index block = 1024;          // elements that a derivative is taken of at once: what it keeps aside stays in the first cache
constexpr Index quick_elements = 2048; // letting others run would take as long

template <class T> const ActivationKernels<T> &find(const Context &context, const std::string &name) {
    return find_row(rows_of(kernels_of<T>(*context.kernel_set).activations), name, "activation");
}

// What is computed, for the elements x[i] of a C-contiguous array, by `compute(x, y, n)`; a new array of its shape.
template <class T, class Compute> py::object mapped(const py::detail::PyArray_Proxy &array, Compute compute) {
    const std::vector<py::ssize_t> shape(array.dimensions, array.dimensions + array.nd);
    py::array_t<T> result(shape);
    const auto *x = reinterpret_cast<const T *>(array.data);
    T *y = result.mutable_data();
    const Index n = result.size();
    const auto run = [&] {
        const DefaultArithmetic arithmetic;
        compute(x, y, n);
    };
    if (n < quick_elements) {
        run();
    } else {
        const py::gil_scoped_release release;
        run();
    }
    return result;
}

template <class T> py::object apply(const Context &context, const std::string &name, const py::detail::PyArray_Proxy &array, double alpha) {
    const auto &activation = find<T>(context, name);
    const Index last = activation.whole_rows && array.nd > 0 ? array.dimensions[array.nd - 1] : 0;
    return mapped<T>(array, [&](const T *x, T *y, Index n) {
        const Index row = last > 0 ? last : n;
        for (Index first = 0; first < n; first += row) activation.apply(x + first, y + first, row, static_cast<T>(alpha));
    });
}

// The backward kernel's answer to d = 1. It stores small numbers as 0, which a power of two keeps it from.
template <class T>
py::object derivative(const Context &context, const std::string &name, const py::detail::PyArray_Proxy &array, double alpha) {
    const auto &activation = find<T>(context, name);
    if (activation.whole_rows) throw std::invalid_argument("'" + name + "' has a Jacobian, no derivative of each element");
    if (!activation.backward) throw std::invalid_argument("'" + name + "' has no derivative");
    const T scale = std::abs(alpha) <= 0x1p60 ? T(0x1p60) : T(1), unscale = 1 / scale;
    return mapped<T>(array, [&](const T *x, T *y, Index n) {
        alignas(line_bytes) std::array<T, block> saved{}, d;
        for (Index first = 0; first < n; first += block) {
            const Index count = std::min(block, n - first);
            if (activation.needs == Needs::output) activation.apply(x + first, saved.data(), count, static_cast<T>(alpha));
            else std::copy_n(x + first, count, saved.data());
            d.fill(scale);
            activation.backward({d.data(), 1, count, block}, {saved.data(), 1, count, block}, static_cast<T>(alpha));
            for (Index i = 0; i < count; ++i) {
                const T element = x[first + i], slope = d[static_cast<std::size_t>(i)] * unscale;
                y[first + i] = std::isnan(element) ? element : slope;
            }
        }
    });
}

using OfType = py::object (*)(const Context &, const std::string &, const py::detail::PyArray_Proxy &, double);

template <OfType of_float, OfType of_double>
py::object either(const Context &context, const std::string &name, const py::object &x, double alpha) {
    const auto *array = plain_array(x);
    if (!array || (array->flags & py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_) == 0) return py::none();
    if (type_of(*array) == 'f') return of_float(context, name, *array, alpha);
    if (type_of(*array) == 'd') return of_double(context, name, *array, alpha);
    return py::none();
}

} // namespace

void bind_activations(py::module_ &module) {
    module.def(
        "apply_activation", either<apply<float>, apply<double>>, py::arg("context"), py::arg("name"), py::arg("x"), py::arg("alpha") = 0.0,
        "An activation of an array, softmax over its last axis; None where x is no C-contiguous array of float32 or float64 that can "
        "be read as it lies.");
    module.def("differentiate_activation", either<derivative<float>, derivative<double>>, py::arg("context"), py::arg("name"), py::arg("x"),
               py::arg("alpha") = 0.0, "The derivative of an elementwise activation at each element of such an array, or None.");
}

} // namespace ganglion::bindings
