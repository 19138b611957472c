#include "results.hpp"
#include <pybind11/stl.h>

namespace ganglion::bindings {
namespace {

py::array_t<double> array_of(const std::vector<double> &values, std::vector<py::ssize_t> shape) {
    py::array_t<double> array(std::move(shape));
    std::copy(values.begin(), values.end(), array.mutable_data());
    return array;
}

// In the vector's own memory.
py::array_t<double> array_around(std::vector<double> values, std::vector<py::ssize_t> shape) {
    auto owned = std::make_unique<std::vector<double>>(std::move(values));
    const double *data = owned->data();
    const py::capsule owner(owned.get(), [](void *vector) { delete static_cast<std::vector<double> *>(vector); });
    owned.release();
    return py::array_t<double>(std::move(shape), data, owner);
}

} // namespace

py::tuple tuple_of(const std::vector<double> &values) {
    py::tuple result(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) result[i] = values[i];
    return result;
}

py::tuple tuples_of(const ByThread &numbers) {
    return py::make_tuple(tuple_of(of(numbers, Work::rows)), tuple_of(of(numbers, Work::weights)));
}

ReportHandle::ReportHandle(const Report &report, std::size_t columns)
    : kernel_set(report.kernel_set), team(report.team), plan(py::cast(report.phases)), seconds(tuple_of(report.seconds)),
      parts(tuples_of(report.parts)), allotted(tuples_of(report.allotted)), steps(report.steps), careful_steps(report.careful_steps),
      counts(report.counts),
      epochs(array_of(report.epochs, {static_cast<py::ssize_t>(report.epochs.size() / columns), static_cast<py::ssize_t>(columns)})),
      stopped(report.stopped), running(tuple_of(report.running)) {}

std::string ReportHandle::text() const {
    return "Report(kernel_set='" + kernel_set + "', team=" + std::to_string(team) + ", plan=" + py::str(plan).cast<std::string>() +
           ", steps=" + std::to_string(steps) + ", careful_steps=" + std::to_string(careful_steps) +
           ", sparse_products=" + std::to_string(counts.sparse_products) + ", stopped=" + (stopped ? "True" : "False") + ")";
}

template <class T> GradientsHandle::GradientsHandle(const Architecture &net, const Gradients<T> &gradients) : loss(gradients.loss) {
    for (const Parameter &parameter : net.parameters) {
        if (!parameter.trainable) continue;
        py::array_t<T> array({parameter.rows, parameter.columns});
        for (Index r = 0; r < parameter.rows; ++r)
            std::copy_n(gradients.values.data() + parameter.offset + r * parameter.stride, parameter.columns, array.mutable_data(r, 0));
        arrays.append(parameter.is_kernel ? py::array(array) : array.reshape({parameter.columns}));
    }
}
template GradientsHandle::GradientsHandle(const Architecture &, const Gradients<float> &);
template GradientsHandle::GradientsHandle(const Architecture &, const Gradients<double> &);

py::tuple taken(std::optional<Monitor> &monitor, const Architecture &net) {
    std::vector<std::uint64_t> steps;
    std::vector<double> values, losses;
    if (monitor) {
        steps.swap(monitor->steps);
        values.swap(monitor->values);
        losses.swap(monitor->losses);
    }
    py::list names;
    for (const Stage &stage : net.stages) names.append(stage.layer);
    const auto looks = static_cast<py::ssize_t>(steps.size()), stages = static_cast<py::ssize_t>(net.stages.size());
    const auto batches = static_cast<py::ssize_t>(losses.size());
    return py::make_tuple(steps, names, array_around(std::move(values), {looks, stages, static_cast<py::ssize_t>(quantities)}),
                          array_around(std::move(losses), {batches}));
}

void bind_results(py::module_ &module) {
    py::class_<ReportHandle>(module, "Report", "What a run did, and on what.")
        .def_readonly("kernel_set", &ReportHandle::kernel_set)
        .def_readonly("team", &ReportHandle::team, "Threads that ran.")
        .def_readonly("plan", &ReportHandle::plan, "Phases of a step, in order.")
        .def_readonly("seconds", &ReportHandle::seconds, "Of each phase, the mean of a step, from a sample of steps.")
        .def_readonly("parts", &ReportHandle::parts,
                      "(rows, weights): what part of the batch's rows and of the weights each thread was to take in the last steps.")
        .def_readonly("allotted", &ReportHandle::allotted,
                      "(rows, weights): what part of that work each thread got, which comes in whole units; see taken_over.")
        .def("__repr__", &ReportHandle::text)
        .def_readonly("steps", &ReportHandle::steps)
        .def_readonly("careful_steps", &ReportHandle::careful_steps,
                      "Of these, the ones whose gradients were tested one by one because they might have overflowed.")
        .def_property_readonly(
            "sparse_products", [](const ReportHandle &report) { return report.counts.sparse_products; },
            "Products of a panel of rows, or for a tile of a weight gradient, that left out the zeros of an operand.")
        .def_property_readonly(
            "descents", [](const ReportHandle &report) { return report.counts.descents; },
            "Tiles of kernels that were updated by the product that makes their gradient, which was not written.")
        .def_property_readonly(
            "taken_over", [](const ReportHandle &report) { return report.counts.taken_over; },
            "Units of work that a thread that was through took over from another, in place of waiting for it.")
        .def_property_readonly(
            "copied_lines", [](const ReportHandle &report) { return report.counts.copied_lines; },
            "Pieces of rows, as long as a cache line, that were copied beside the products of the batch before.")
        .def_readonly("epochs", &ReportHandle::epochs, "(finished epochs, 1 + metrics): mean loss and metrics.")
        .def_readonly("stopped", &ReportHandle::stopped)
        .def_readonly("running", &ReportHandle::running,
                      "Mean loss and metrics of the epoch under way; empty at an epoch's end. After a run of one step NaN stands for a "
                      "metric that only "
                      "an epoch's end can tell.");
    py::class_<EvaluationHandle>(module, "Evaluation", "Mean loss and metrics of a data set.")
        .def_readonly("loss", &EvaluationHandle::loss)
        .def_readonly("metrics", &EvaluationHandle::metrics)
        .def_readonly("rows", &EvaluationHandle::rows);
    py::class_<GradientsHandle>(module, "Gradients", "Mean loss of a batch and its gradient by trainable parameter.")
        .def_readonly("loss", &GradientsHandle::loss)
        .def_readonly("arrays", &GradientsHandle::arrays);
}

} // namespace ganglion::bindings
