// Of the submodule `operations`: what is done to gradients between their sums and the optimizer, and beside their sums.
#include "ganglion/matmul.hpp"
#include "operations.hpp"
#include "panel.hpp"
#include <array>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace py::literals;

namespace ganglion {
namespace {

using Names = const std::string &;

template <class T> const Kernels<T> &kernels(Names set) { return kernels_of<T>(find_kernel_set(set)); }

py::array_t<double> row_sums(Names set, const py::array &x, bool squares, Index misalign) {
    return with_float("x", x, [&](auto zero) {
        using T = decltype(zero);
        const auto rows = Panel<T>::block("x", x, misalign);
        py::array_t<double> out(rows.view().rows);
        (squares ? kernels<T>(set).row_squares : kernels<T>(set).row_magnitudes)(rows.read(), out.mutable_data());
        return out;
    });
}

py::array penalize(Names set, const py::array &g, const py::array &w, double l1, double slope, Index misalign) {
    return with_float("g", g, [&](auto zero) -> py::array {
        using T = decltype(zero);
        const auto gradient = Panel<T>::block("g", g, misalign), weights = Panel<T>::block("w", w, misalign);
        require(gradient.view().rows == weights.view().rows && gradient.view().columns == weights.view().columns,
                "g and w differ in shape");
        kernels<T>(set).penalize(gradient.view(), weights.read(), static_cast<T>(l1), static_cast<T>(slope));
        return gradient.array();
    });
}

py::array clip(Names set, const py::array &g, double scale, double bound, bool in_place, Index misalign) {
    return with_float("g", g, [&](auto zero) -> py::array {
        using T = decltype(zero);
        const auto from = Panel<T>::block("g", g, misalign);
        const auto other = Panel<T>::block(from.view().rows, from.view().columns, misalign);
        const Panel<T> &to = in_place ? from : other;
        kernels<T>(set).clip(from.read(), to.view(), static_cast<T>(scale), static_cast<T>(bound));
        return to.array();
    });
}

// w (M,N) after the update "sgd" by the product that makes its gradient xᵀ · dz; the largest new |w|.
py::tuple descend(Names set, const py::array &w, const py::array &x, const py::array &dz, const std::array<double, 2> &constants,
                  Index misalign) {
    return with_float("w", w, [&](auto zero) -> py::tuple {
        using T = decltype(zero);
        const auto weights = Panel<T>::block("w", w, misalign), left = Panel<T>::block("x", x, misalign),
                   right = Panel<T>::block("dz", dz, misalign);
        const MatrixView<T> to = weights.view(), a = left.view(), b = right.view();
        require(a.rows == b.rows && to.rows == a.columns && to.columns == b.columns, "w, x and dz differ in shape");
        const T given[] = {static_cast<T>(constants[0]), static_cast<T>(constants[1])};
        Descent<T> descent{given};
        Product<T> product{to.rows, to.columns, a.rows, a.data, 1, a.stride, b.data, b.stride, to.data, to.stride, false};
        product.descent = &descent;
        kernels<T>(set).matmul(product);
        return py::make_tuple(weights.array(), largest_lane(kernels<T>(set), descent.largest));
    });
}

} // namespace

void bind_gradient_operations(py::module_ &m) {
    const py::arg_v misalign = py::arg("misalign") = 0;
    m.def(
        "row_squares", [](Names set, const py::array &x, Index offset) { return row_sums(set, x, true, offset); }, "set"_a, "x"_a,
        misalign);
    m.def(
        "row_magnitudes", [](Names set, const py::array &x, Index offset) { return row_sums(set, x, false, offset); }, "set"_a, "x"_a,
        misalign);
    m.def("penalize", &penalize, "set"_a, "g"_a, "w"_a, "l1"_a, "slope"_a, misalign);
    m.def("clip", &clip, "set"_a, "g"_a, "scale"_a, "bound"_a, "in_place"_a = false, misalign);
    m.def("descend", &descend, "set"_a, "w"_a, "x"_a, "dz"_a, "constants"_a, misalign);
}

} // namespace ganglion
