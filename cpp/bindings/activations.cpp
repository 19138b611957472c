// Activations by themselves, on arrays of any shape: what `ganglion.functional` computes with. Denormal numbers are kept.
#include "ganglion/arena.hpp"
#include "ganglion/threads.hpp"
#include "handles.hpp"
#include <algorithm>
#include <cmath>

namespace ganglion::bindings {
namespace {

constexpr Index block = 1024; // elements that a derivative is taken of at once: what it keeps aside stays in the first cache

template <class T> const ActivationKernels<T> &find(const Context &context, const std::string &name) {
    return find_row(rows_of(kernels_of<T>(*context.kernel_set).activations), name, "activation");
}

// The shape of x, and its memory read as one vector.
template <class T> MatrixView<const T> whole(const py::array &x) {
    if ((x.flags() & py::array::c_style) == 0) throw py::value_error("x must be C-contiguous");
    return matrix_of<T>(x.attr("reshape")(-1).cast<py::array>(), "x");
}

template <class T> py::array_t<T> like(const py::array &x) {
    return py::array_t<T>(std::vector<py::ssize_t>(x.shape(), x.shape() + x.ndim()));
}

template <class T> py::array apply(const Context &context, const std::string &name, const py::array &x, double alpha) {
    const auto &activation = find<T>(context, name);
    const MatrixView<const T> in = whole<T>(x);
    py::array_t<T> result = like<T>(x);
    const Index row = activation.whole_rows && x.ndim() > 0 ? x.shape(x.ndim() - 1) : in.columns;
    T *out = result.mutable_data();
    const py::gil_scoped_release release;
    const DefaultArithmetic arithmetic;
    for (Index first = 0; first < in.columns; first += row) activation.apply(in.data + first, out + first, row, static_cast<T>(alpha));
    return result;
}

// The backward kernel's answer to d = 1. It stores small numbers as 0, which a power of two keeps it from.
template <class T> py::array derivative(const Context &context, const std::string &name, const py::array &x, double alpha) {
    const auto &activation = find<T>(context, name);
    if (activation.whole_rows) throw std::invalid_argument("'" + name + "' has a Jacobian, no derivative of each element");
    if (!activation.backward) throw std::invalid_argument("'" + name + "' has no derivative");
    const MatrixView<const T> in = whole<T>(x);
    py::array_t<T> result = like<T>(x);
    T *out = result.mutable_data();
    const T scale = std::abs(alpha) <= 0x1p60 ? T(0x1p60) : T(1);
    const py::gil_scoped_release release;
    const DefaultArithmetic arithmetic;
    Buffer<T> saved(block), d(block);
    for (Index first = 0; first < in.columns; first += block) {
        const Index n = std::min(block, in.columns - first);
        if (activation.needs == Needs::output) activation.apply(in.data + first, saved.data(), n, static_cast<T>(alpha));
        else std::copy_n(in.data + first, n, saved.data());
        std::fill_n(d.data(), n, scale);
        activation.backward({d.data(), 1, n, block}, {saved.data(), 1, n, block}, static_cast<T>(alpha));
        for (Index i = 0; i < n; ++i) out[first + i] = std::isnan(in.data[first + i]) ? in.data[first + i] : d[i] / scale;
    }
    return result;
}

template <py::array (*of_float)(const Context &, const std::string &, const py::array &, double),
          py::array (*of_double)(const Context &, const std::string &, const py::array &, double)>
py::array either(const Context &context, const std::string &name, const py::array &x, double alpha) {
    return py::isinstance<py::array_t<float>>(x) ? of_float(context, name, x, alpha) : of_double(context, name, x, alpha);
}

} // namespace

void bind_activations(py::module_ &module) {
    module.def("apply_activation", either<apply<float>, apply<double>>, py::arg("context"), py::arg("name"), py::arg("x"),
               py::arg("alpha") = 0.0, "An activation of a C-contiguous array of float32 or float64; softmax over its last axis.");
    module.def("differentiate_activation", either<derivative<float>, derivative<double>>, py::arg("context"), py::arg("name"), py::arg("x"),
               py::arg("alpha") = 0.0, "The derivative of an elementwise activation at each element of such an array.");
}

} // namespace ganglion::bindings
