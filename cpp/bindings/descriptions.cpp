// What training is told: an optimizer, a loss, a schedule, metrics.
#include "handles.hpp"
#include "host.hpp"
#include <pybind11/stl.h>
#include <pybind11/typing.h>

namespace ganglion::bindings {
namespace {

NamedSchedule schedule_of(const std::string &name, double initial, double final, std::int64_t steps, double factor, double peak,
                          double peak_step, std::vector<std::int64_t> boundaries, std::vector<double> rates,
                          const std::optional<NamedSchedule> &then) {
    ScheduleDescription description{initial, final, steps, factor, peak, peak_step, std::move(boundaries)};
    if (!rates.empty()) description.rates = std::make_shared<const std::vector<double>>(std::move(rates));
    if (then) description.then = std::make_shared<const NamedSchedule>(*then);
    return make_schedule(name, std::move(description));
}

} // namespace

void bind_descriptions(py::module_ &module) {
    py::class_<OptimizerDescription>(module, "Optimizer", "An optimizer as the core is told of it.")
        .def(py::init<std::string, double, double, double, double, double, double>(), py::arg("name"), py::arg("momentum") = 0.0,
             py::arg("beta1") = 0.9, py::arg("beta2") = 0.999, py::arg("epsilon") = 1e-8, py::arg("weight_decay") = 0.0,
             py::arg("initial_accumulator") = 0.0)
        .def_readonly("name", &OptimizerDescription::name, "Its row of the kernel sets' table.")
        .def_readwrite("clip_norm", &OptimizerDescription::clip_norm, "The largest norm of all gradients together; 0: any.")
        .def_readwrite("clip_value", &OptimizerDescription::clip_value, "The largest magnitude of a gradient; 0: any.");
    py::class_<LossDescription>(module, "Loss", "A loss as the core is told of it; its name does where it has no parameter.")
        .def(py::init<std::string, double>(), py::arg("name"), py::arg("parameter") = 0.0)
        .def(py::init([](py::typing::Callable<py::object(py::object, py::object)> host) {
                 return LossDescription{"custom", 0, host_loss(std::move(host))};
             }),
             py::arg("host"))
        .def_readonly("name", &LossDescription::name)
        .def_readonly("parameter", &LossDescription::parameter);
    py::implicitly_convertible<py::str, LossDescription>();
    py::class_<NamedSchedule>(module, "Schedule", "A learning-rate schedule as the core is told of it.")
        .def(py::init(&schedule_of), py::arg("name"), py::arg("initial") = 0.0, py::arg("final") = 0.0, py::arg("steps") = 0, py::kw_only(),
             py::arg("factor") = 1.0, py::arg("peak") = 0.0, py::arg("peak_step") = 0.0,
             py::arg("boundaries") = std::vector<std::int64_t>(), py::arg("rates") = std::vector<double>(), py::arg("then") = py::none())
        .def(
            "rate",
            [](const NamedSchedule &self, std::int64_t step) {
                self.check(step, 1);
                return self.rate(step);
            },
            py::arg("step"), "Of a step, counted from 0.");
    py::class_<MetricDescription>(module, "Metric", "A metric as the core is told of it; its name alone will do.")
        .def(py::init<std::string, double, Index, bool>(), py::arg("name"), py::arg("threshold") = 0.5, py::arg("k") = 5,
             py::arg("columns") = false)
        .def(py::init([](py::typing::Callable<py::object(py::object, py::object)> host) {
                 MetricDescription description{"custom"};
                 description.host = host_metric(std::move(host));
                 return description;
             }),
             py::arg("host"));
    py::implicitly_convertible<py::str, MetricDescription>();
}

} // namespace ganglion::bindings
