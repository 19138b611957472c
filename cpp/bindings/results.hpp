// What runs, evaluations and gradients give to Python.
#pragma once
#include "handles.hpp"

namespace ganglion::bindings {

struct ReportHandle {
    std::string kernel_set;
    int team;
    py::tuple plan, seconds, parts, allotted;
    Index steps, careful_steps;
    Counts counts;
    py::array_t<double> epochs;
    bool stopped;
    py::tuple running;

    ReportHandle(const Report &report, std::size_t columns);
    std::string text() const;
};

struct EvaluationHandle {
    double loss;
    py::tuple metrics;
    Index rows;
};

struct GradientsHandle {
    double loss;
    py::list arrays;

    template <class T> GradientsHandle(const Architecture &net, const Gradients<T> &gradients);
};

py::tuple tuple_of(const std::vector<double> &values);
// The monitor's looks, which it forgets: (steps, names of the stages, values, losses of the batches).
py::tuple taken(std::optional<Monitor> &monitor, const Architecture &net);

void bind_results(py::module_ &module);

} // namespace ganglion::bindings
