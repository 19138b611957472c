// The extension module: exceptions, tables of names, and the classes of the other files here.
#include "ganglion/error.hpp"
#include "ganglion/initializers.hpp"
#include "ganglion/schedule.hpp"
#include "handles.hpp"
#include "operations.hpp"
#include <pybind11/stl.h>

namespace ganglion::bindings {
namespace {

struct KernelSetInfo {
    std::string name, description;
    bool supported;
    Index width_float32, width_float64;
};

struct ActivationInfo {
    std::string name, needs;
};

std::vector<KernelSetInfo> list_kernel_sets() {
    std::vector<KernelSetInfo> list;
    for (const KernelSet *set : kernel_sets())
        list.push_back({set->name, set->description, supported(*set), set->float32.width, set->float64.width});
    return list;
}

std::vector<ActivationInfo> list_activations() {
    std::vector<ActivationInfo> list;
    for (const auto &row : rows_of(best_kernel_set().float32.activations))
        list.push_back({row.name, row.needs == Needs::output ? "output" : row.needs == Needs::input ? "input" : "nothing"});
    return list;
}

} // namespace

Context make_context(const std::optional<std::string> &kernel_set, std::optional<int> threads) {
    constexpr int most = 1024; // OpenMP ends the process where a thread cannot be made
    if (threads && (*threads < 1 || *threads > most))
        throw std::invalid_argument("threads must be from 1 to " + std::to_string(most) + ", not " + std::to_string(*threads));
    return {kernel_set ? &find_kernel_set(*kernel_set) : &best_kernel_set(), threads.value_or(0)};
}

void bind_tables(py::module_ &module) {
    py::class_<KernelSetInfo>(module, "KernelSetInfo", "A kernel set of this build: one instruction set.")
        .def_readonly("name", &KernelSetInfo::name)
        .def_readonly("description", &KernelSetInfo::description)
        .def_readonly("supported", &KernelSetInfo::supported, "Whether this machine can run it.")
        .def_readonly("width_float32", &KernelSetInfo::width_float32, "Elements per vector.")
        .def_readonly("width_float64", &KernelSetInfo::width_float64, "Elements per vector.");
    py::class_<ActivationInfo>(module, "ActivationInfo", "A row of the activation table.")
        .def_readonly("name", &ActivationInfo::name)
        .def_readonly("needs", &ActivationInfo::needs, "What its backward reads: \"output\" or \"input\"; \"nothing\" where it has none.");
    module.def("kernel_sets", list_kernel_sets, "The kernel sets of this build, best first.");
    module.def("activations", list_activations);
    module.def("losses", [] { return names_of(rows_of(best_kernel_set().float32.losses)); });
    module.def("optimizers", [] { return names_of(rows_of(best_kernel_set().float32.optimizers)); });
    module.def("schedules", [] { return names_of(schedules()); });
    module.def("metrics", [] { return names_of(metrics()); });
    module.def("initializers", [] { return names_of(initializers()); });
    module.def("default_team", default_team, "Threads that a run may use when nobody asks for a number.");
    py::class_<Context>(module, "Context", "Where a run takes place: on which kernels, with how many threads.")
        .def(py::init(&make_context), py::arg("kernel_set") = py::none(), py::arg("threads") = py::none())
        .def_property_readonly("kernel_set", [](const Context &context) { return std::string(context.kernel_set->name); })
        .def_property_readonly(
            "threads", [](const Context &context) { return context.threads ? context.threads : default_team(); },
            "The number asked for, or the most that a run would take.");
}

} // namespace ganglion::bindings

PYBIND11_MODULE(_ganglion_core, module) {
    using namespace ganglion;
    using namespace ganglion::bindings;
    module.doc() = "The C++ core of ganglion. Use the package's own names instead of these.";
    module.attr("__version__") = GANGLION_VERSION;
    py::register_exception<NonFiniteInput>(module, "NonFiniteInputError", PyExc_ValueError);
    py::register_exception<Diverged>(module, "TrainingDivergedError", PyExc_FloatingPointError);
    bind_tables(module);
    bind_activations(module);
    bind_network(module);
    bind_feed(module);
    bind_descriptions(module);
    bind_training(module);
    bind_passes(module);
    bind_products(module);
    bind_operations(module);
    bind_speed(module);
    bind_teams(module);
}
