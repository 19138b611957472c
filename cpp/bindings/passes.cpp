#include "ganglion/passes.hpp"
#include "handles.hpp"
#include <cmath>
#include <pybind11/stl.h>

namespace ganglion::bindings {
namespace {

template <template <class> class Of> using Either = std::variant<std::shared_ptr<Of<float>>, std::shared_ptr<Of<double>>>;

struct PassesHandle {
    Either<Passes> passes;
};

struct PassHandle {
    Either<Pass> pass;
};

// A loss of a pass's output.
template <class T> struct Differential {
    std::shared_ptr<Pass<T>> pass;
    LossGradient<T> loss;
};

struct DifferentialHandle {
    Either<Differential> differential;
};

struct UpdatesHandle {
    Either<Updates> updates;
};

struct UpdateGroupHandle {
    std::vector<std::size_t> parameters;
    OptimizerDescription optimizer;
};

template <class Label, class T> bool set_labels_of(Feed<T> &feed, const py::array &labels) {
    if (!py::isinstance<py::array_t<Label>>(labels)) return false;
    const auto *first = static_cast<const char *>(labels.data());
    std::vector<std::int32_t> copy(static_cast<std::size_t>(labels.shape(0)));
    for (std::size_t r = 0; r < copy.size(); ++r) {
        Label label;
        std::memcpy(&label, first + static_cast<py::ssize_t>(r) * labels.strides(0), sizeof label);
        copy[r] = static_cast<std::int32_t>(label);
        if (copy[r] != label) throw py::value_error("target[" + std::to_string(r) + "] is no label");
    }
    set_labels(feed, std::move(copy));
    return true;
}

// Labels (n,) of int32 or int64, or values (n, O) of T, for outputs of that shape.
template <class T> Feed<T> targets_of(const py::array &target, TargetKind kind, Index rows, Index outputs) {
    Feed<T> feed;
    if (target.ndim() != (kind == TargetKind::labels ? 1 : 2) || target.shape(0) != rows)
        throw py::value_error("target must have one row for each of the " + std::to_string(rows) + " rows of the output");
    if (kind == TargetKind::labels) {
        if (!set_labels_of<std::int64_t>(feed, target) && !set_labels_of<std::int32_t>(feed, target))
            throw py::type_error("target must be int64 or int32");
        if (feed.largest_label >= outputs) throw py::value_error("target has a label beyond the outputs");
        return feed;
    }
    const MatrixView<const T> values = matrix_of<T>(target, "target");
    if (values.columns != outputs) throw py::value_error("target must have " + std::to_string(outputs) + " columns");
    if (!std::isfinite(kernels_of<T>(best_kernel_set()).largest(values))) throw py::value_error("target must be finite");
    set_values(feed, values);
    return feed;
}

TargetKind kind_of(const std::string &name) {
    if (name != "labels" && name != "values") throw_unknown("target", name, {"labels", "values"});
    return name == "labels" ? TargetKind::labels : TargetKind::values;
}

py::tuple forward(const PassesHandle &self, const Context &context, const py::array &x, bool training) {
    const Source source = source_of(x);
    const auto [n, features] = std::visit([](const auto &view) { return std::pair{view.rows, view.columns}; }, source);
    return std::visit(
        [&]<class T>(const std::shared_ptr<Passes<T>> &passes) -> py::tuple {
            const Architecture &net = passes->network->architecture;
            if (features != net.inputs || n == 0)
                throw py::value_error("x must have one row or more of " + std::to_string(net.inputs) + " features");
            std::shared_ptr<Pass<T>> pass;
            {
                const py::gil_scoped_release release;
                pass = std::make_shared<Pass<T>>(context, passes, source, training);
            }
            const MatrixView<const T> output = pass->output();
            py::array_t<T> y({output.rows, output.columns});
            for (Index r = 0; r < output.rows; ++r)
                std::copy_n(output.data + r * output.stride, output.columns, y.mutable_data() + r * output.columns);
            return py::make_tuple(PassHandle{std::move(pass)}, std::move(y));
        },
        self.passes);
}

py::object gradient(const PassesHandle &self, std::size_t index) {
    return std::visit(
        [&]<class T>(const std::shared_ptr<Passes<T>> &passes) -> py::object {
            if (passes->states.at(index) == GradientState::none) return py::none();
            const Parameter &parameter = passes->network->architecture.parameters[index];
            py::array_t<T> copy({parameter.rows, parameter.columns});
            for (Index r = 0; r < parameter.rows; ++r)
                std::copy_n(passes->sums.data() + parameter.offset + r * parameter.stride, parameter.columns, copy.mutable_data(r, 0));
            return parameter.is_kernel ? py::array(copy) : copy.reshape({parameter.columns});
        },
        self.passes);
}

py::tuple loss_of_pass(const PassHandle &self, const Context &context, const LossDescription &loss, const std::string &kind,
                       const py::array &target) {
    return std::visit(
        [&]<class T>(const std::shared_ptr<Pass<T>> &pass) -> py::tuple {
            const MatrixView<const T> y = pass->output();
            const Feed<T> feed = targets_of<T>(target, kind_of(kind), y.rows, y.columns);
            auto differential = std::make_shared<Differential<T>>(pass, loss_gradient(context, loss, kind_of(kind), y, feed));
            const double value = differential->loss.loss;
            return py::make_tuple(value, DifferentialHandle{std::move(differential)});
        },
        self.pass);
}

template <class T>
double loss_of(const Context &context, const LossDescription &loss, const std::string &kind, const py::array &y, const py::array &target) {
    const MatrixView<const T> view = matrix_of<T>(y, "y");
    const Index stride = row_stride(view.columns);
    Buffer<T> padded(checked_product(view.rows, stride));
    for (Index r = 0; r < view.rows; ++r) std::copy_n(view.data + r * view.stride, view.columns, padded.data() + r * stride);
    const Feed<T> feed = targets_of<T>(target, kind_of(kind), view.rows, view.columns);
    return loss_gradient(context, loss, kind_of(kind), MatrixView<const T>{padded.data(), view.rows, view.columns, stride}, feed).loss;
}

void backward(const DifferentialHandle &self, const Context &context, double factor) {
    const py::gil_scoped_release release;
    std::visit(
        [&]<class T>(const std::shared_ptr<Differential<T>> &differential) {
            differential->pass->backward(context, differential->loss, static_cast<T>(factor));
        },
        self.differential);
}

UpdatesHandle make_updates(const PassesHandle &passes, const std::vector<UpdateGroupHandle> &groups) {
    return std::visit(
        [&]<class T>(const std::shared_ptr<Passes<T>> &of) {
            std::vector<UpdateGroup<T>> made;
            for (const UpdateGroupHandle &group : groups) {
                for (const std::size_t p : group.parameters)
                    if (p >= of->states.size()) throw py::index_error("there is no parameter " + std::to_string(p));
                made.push_back({group.parameters, group.optimizer, {}});
            }
            return UpdatesHandle{std::make_shared<Updates<T>>(of, std::move(made))};
        },
        passes.passes);
}

} // namespace

void bind_passes(py::module_ &module) {
    py::class_<PassesHandle>(module, "Passes", "What the passes over one network share: its gradients and their memory.")
        .def(py::init([](const NetworkHandle &network) {
                 return std::visit(
                     []<class T>(const std::shared_ptr<Network<T>> &of) { return PassesHandle{std::make_shared<Passes<T>>(of)}; },
                     network.network);
             }),
             py::arg("network"))
        .def("forward", forward, py::arg("context"), py::arg("x"), py::arg("training"),
             "A pass over float32, float64 or uint8 rows, in training or not, and its output (n, O).")
        .def("gradient", gradient, py::arg("index"), "A copy of a parameter's gradient, in the parameter's shape; None without one.")
        .def(
            "zero",
            [](PassesHandle &self, const std::vector<std::size_t> &parameters) {
                std::visit([&](const auto &passes) { passes->zero(parameters); }, self.passes);
            },
            py::arg("parameters"), "Forgets the gradients of the parameters of these numbers.");
    py::class_<PassHandle>(module, "Pass", "A forward pass with its activations.")
        .def("loss", loss_of_pass, py::arg("context"), py::arg("loss"), py::arg("kind"), py::arg("target"),
             "The mean loss of the output, and the way back from it.");
    py::class_<DifferentialHandle>(module, "Differential", "The gradient of a loss with respect to a pass's output.")
        .def("backward", backward, py::arg("context"), py::arg("factor") = 1.0, "Adds factor times the loss's gradients.");
    py::class_<UpdateGroupHandle>(module, "UpdateGroup", "Numbers of parameters, and the optimizer that updates them.")
        .def(py::init<std::vector<std::size_t>, OptimizerDescription>(), py::arg("parameters"), py::arg("optimizer"));
    py::class_<UpdatesHandle>(module, "Updates", "An optimizer's moments and counters over some of a network's parameters.")
        .def(py::init(&make_updates), py::arg("passes"), py::arg("groups"))
        .def(
            "set_optimizer",
            [](UpdatesHandle &self, std::size_t group, const OptimizerDescription &optimizer) {
                std::visit([&](const auto &updates) { updates->set_optimizer(group, optimizer); }, self.updates);
            },
            py::arg("group"), py::arg("optimizer"))
        .def(
            "step",
            [](UpdatesHandle &self, const Context &context, const std::vector<double> &rates) {
                const py::gil_scoped_release release;
                std::visit([&](const auto &updates) { updates->step(context, rates); }, self.updates);
            },
            py::arg("context"), py::arg("rates"), "One update, with a learning rate for each group.");
    module.def(
        "mean_loss",
        [](const Context &context, const LossDescription &loss, const std::string &kind, const py::array &y, const py::array &target) {
            return py::isinstance<py::array_t<float>>(y) ? loss_of<float>(context, loss, kind, y, target)
                                                         : loss_of<double>(context, loss, kind, y, target);
        },
        py::arg("context"), py::arg("loss"), py::arg("kind"), py::arg("y"), py::arg("target"), "Of any outputs (n, O).");
}

} // namespace ganglion::bindings
