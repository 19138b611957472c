// The measured roofs, and single kernels on the caller's own memory, for their time with nothing beside it.
#include "ganglion/speed.hpp"
#include "ganglion/threads.hpp"
#include "handles.hpp"
#include "panel.hpp"
#include <array>
#include <numeric>
#include <optional>
#include <pybind11/stl.h>

namespace ganglion::bindings {
namespace {

using namespace py::literals;
using Names = const std::string &;
using OptionalArray = const std::optional<py::array> &;

// f(T{}) for the T of this name.
template <class F> auto with_dtype(Names dtype, F f) {
    require(dtype == "float32" || dtype == "float64", "dtype must be 'float32' or 'float64', not '" + dtype + "'");
    return dtype == "float32" ? f(0.0F) : f(0.0);
}

double peak_of(const Context &context, Names dtype, double seconds) {
    return with_dtype(dtype, [&](auto zero) { return measured_peak<decltype(zero)>(context, seconds); });
}

double update_of(const Context &context, Names optimizer, Index parameters, Names dtype, double seconds) {
    require(parameters > 0, "parameters must be at least 1");
    return with_dtype(dtype, [&](auto zero) { return measured_update<decltype(zero)>(context, optimizer, parameters, seconds); });
}

template <class T> const Kernels<T> &kernels(Names set) { return kernels_of<T>(find_kernel_set(set)); }

// x[i] = i at first.
py::array peak(Names set, Names dtype, Index steps, double factor, double addend) {
    require(steps >= 0, "steps must not be negative");
    return with_dtype(dtype, [&](auto zero) -> py::array {
        using T = decltype(zero);
        const Kernels<T> &k = kernels<T>(set);
        const auto x = Panel<T>::block(1, k.peak_elements, 0);
        std::iota(x.data(), x.data() + k.peak_elements, T(0));
        k.peak(x.data(), steps, static_cast<T>(factor), static_cast<T>(addend));
        return x.flat_array();
    });
}

template <class T> MatrixView<T> whole_vectors(const char *name, const py::array &x, Index size) {
    const auto row = ganglion::rows_of<T>(name, x);
    require(row.rows == 1 && row.columns == size && size % padding == 0,
            std::string(name) + " must have one dimension of as many elements as the others, a multiple of " + std::to_string(padding));
    return row;
}

void activation_in_place(Names set, Names name, const py::array &z, const py::array &h) {
    with_float("z", z, [&](auto zero) {
        using T = decltype(zero);
        const auto &activation = find_row(rows_of(kernels<T>(set).activations), name, "activation");
        const DefaultArithmetic mode;
        activation.forward(whole_vectors<T>("z", z, z.size()), nullptr, whole_vectors<T>("h", h, z.size()), T(0));
    });
}

void update_in_place(Names set, Names name, const py::array &w, const py::array &g, OptionalArray m, OptionalArray v,
                     const std::vector<double> &constants) {
    with_float("w", w, [&](auto zero) {
        using T = decltype(zero);
        const auto &optimizer = find_row(rows_of(kernels<T>(set).optimizers), name, "optimizer");
        require(m.has_value() == (optimizer.moments > 0) && v.has_value() == (optimizer.moments > 1),
                "'" + name + "' has " + std::to_string(optimizer.moments) + " moments");
        std::array<T, 8> c{};
        require(constants.size() <= c.size(), "more than 8 constants");
        std::transform(constants.begin(), constants.end(), c.begin(), [](double constant) { return static_cast<T>(constant); });
        const auto weights = whole_vectors<T>("w", w, w.size());
        const auto gradient = whole_vectors<const T>("g", g, w.size());
        T *const first = m ? whole_vectors<T>("m", *m, w.size()).data : nullptr;
        T *const second = v ? whole_vectors<T>("v", *v, w.size()).data : nullptr;
        const DefaultArithmetic mode;
        optimizer.update(weights, gradient, {first, second, 1, weights.columns, 0, 0}, c.data());
    });
}

} // namespace

void bind_speed(py::module_ &module) {
    const auto no_gil = py::call_guard<py::gil_scoped_release>();
    const py::arg_v float32 = py::arg("dtype") = "float32", seconds = py::arg("seconds") = 0.2;
    module.def("measured_peak", &peak_of, "context"_a, float32, seconds, no_gil,
               "Floating-point operations a second of fused multiply-adds in registers: the best of short runs.");
    module.def("measured_update", &update_of, "context"_a, "optimizer"_a, "parameters"_a, float32, seconds, no_gil,
               "Seconds of one optimizer update of so many parameters: the best of several.");
    auto operations = module.attr("operations").cast<py::module_>();
    operations.def("peak", &peak, "set"_a, "dtype"_a, "steps"_a, "factor"_a, "addend"_a);
    operations.def("activation_in_place", &activation_in_place, "set"_a, "name"_a, "z"_a, "h"_a);
    operations.def("update_in_place", &update_in_place, "set"_a, "name"_a, "w"_a, "g"_a, "m"_a, "v"_a, "constants"_a);
}

} // namespace ganglion::bindings
