#include "trainer.hpp"

namespace ganglion::bindings {
namespace {

struct SnapshotHandle {
    std::variant<Snapshot<float>, Snapshot<double>> snapshot;
};

ValueRule value_rule_of(const std::string &rule) {
    if (rule == "any") return ValueRule::any;
    if (rule == "unit") return ValueRule::unit;
    if (rule == "distribution") return ValueRule::distribution;
    throw_unknown("rule", rule, {"any", "unit", "distribution"});
}

std::optional<Strategy> strategy_of(const std::string &plan) {
    if (plan == "auto") return {};
    if (plan == "rows") return Strategy::rows;
    if (plan == "layers") return Strategy::layers;
    if (plan == "stored") return Strategy::stored;
    throw_unknown("plan", plan, {"auto", "rows", "layers", "stored"});
}

struct TrainingHandle {
    std::variant<std::unique_ptr<Trainer<float>>, std::unique_ptr<Trainer<double>>> trainer;
    template <class Function> auto with(Function function) const {
        return std::visit([&](const auto &which) { return function(*which); }, trainer);
    }
};

TrainingHandle make(const NetworkHandle &network, const LossDescription &loss, const std::string &target,
                    const OptimizerDescription &optimizer, const NamedSchedule &schedule, const std::vector<MetricDescription> &metrics,
                    Index accumulate) {
    if (target != "labels" && target != "values") throw_unknown("target", target, {"labels", "values"});
    const TargetKind kind = target == "labels" ? TargetKind::labels : TargetKind::values;
    return std::visit(
        [&]<class T>(const std::shared_ptr<Network<T>> &net) {
            Training<T> training = make_training(net, loss, kind, optimizer, schedule, metrics);
            accumulate_batches(training, accumulate);
            return TrainingHandle{std::make_unique<Trainer<T>>(std::move(training))};
        },
        network.network);
}

} // namespace

void bind_training(py::module_ &module) {
    bind_results(module);
    py::class_<SnapshotHandle>(module, "Snapshot", "Parameters, moments and counters: one value.");
    py::class_<TrainingHandle>(module, "Training", "A network in training: loss, optimizer, schedule and where it is.")
        .def(py::init(&make), py::arg("network"), py::arg("loss"), py::arg("target"), py::arg("optimizer"), py::arg("schedule"),
             py::arg("metrics"), py::arg("accumulate") = 1)
        .def_property_readonly(
            "loss", [](const TrainingHandle &self) { return self.with([](const auto &trainer) { return trainer.loss(); }); },
            "What is run: the loss of the logits where the last activation is left to it.")
        .def_property_readonly(
            "fused", [](const TrainingHandle &self) { return self.with([](const auto &trainer) { return trainer.fused(); }); },
            "Whether the network's last activation is left to the loss.")
        .def(
            "require_derivatives",
            [](const TrainingHandle &self) { self.with([](const auto &trainer) { trainer.require_derivatives(); }); },
            "Raises ValueError, naming the layer, where an activation without a derivative stands after weights.")
        .def(
            "run",
            [](TrainingHandle &self, const Context &context, const FeedHandle &feed, Index batch_size, Index steps, bool shuffle,
               const std::string &plan, const py::object &stop, bool part, bool last, const Parts &parts) {
                return self.with([&](auto &trainer) {
                    return trainer.run(context, feed, batch_size, steps, shuffle, strategy_of(plan), stop, part, last, parts);
                });
            },
            py::arg("context"), py::arg("feed"), py::kw_only(), py::arg("batch_size"), py::arg("steps"), py::arg("shuffle"),
            py::arg("plan") = "auto", py::arg("stop") = py::none(), py::arg("part") = false, py::arg("last") = false,
            py::arg("parts") = py::none(),
            "Takes up to `steps` batches from where the state is; each makes an optimizer step unless several are accumulated. With "
            "`part` the feed is one batch of an epoch that goes on until the caller ends it, its last where `last` says so. `parts`: of "
            "the batch's rows and of the weights, what each of the context's threads takes with the named plan; else it is "
            "as they are fast.")
        .def(
            "try_step",
            [](TrainingHandle &self, const Context &context, const py::object &x, const py::object &y, const std::string &rule) {
                const ValueRule values = value_rule_of(rule);
                return self.with([&](auto &trainer) { return trainer.try_step(context, x, y, values); });
            },
            py::arg("context"), py::arg("x"), py::arg("y"), py::arg("rule"),
            "A step on one batch: its loss and metrics; None, and no step, where x and y want a closer look. `rule` is what "
            "values must be.")
        .def(
            "try_epochs",
            [](TrainingHandle &self, const Context &context, const py::object &x, const py::object &y, const std::string &rule,
               Index batch_size, Index epochs, bool shuffle, const py::object &stop) {
                const ValueRule values = value_rule_of(rule);
                return self.with(
                    [&](auto &trainer) { return trainer.try_epochs(context, x, y, values, batch_size, epochs, shuffle, stop); });
            },
            py::arg("context"), py::arg("x"), py::arg("y"), py::arg("rule"), py::arg("batch_size"), py::arg("epochs"), py::arg("shuffle"),
            py::arg("stop"),
            "New epochs in one run: its report; None, and no step, where x and y want a closer look. Weights, moments and counters "
            "are as they were where x holds NaN or infinity.")
        .def_property_readonly(
            "report", [](const TrainingHandle &self) { return self.with([](const auto &trainer) { return trainer.report(); }); },
            "Of the latest run, also of one that an exception ended: what was done before.")
        .def(
            "evaluate",
            [](const TrainingHandle &self, const Context &context, const FeedHandle &feed) {
                return self.with([&](const auto &trainer) { return trainer.evaluate(context, feed); });
            },
            py::arg("context"), py::arg("feed"))
        .def(
            "gradients",
            [](TrainingHandle &self, const Context &context, const FeedHandle &feed) {
                return self.with([&](auto &trainer) { return trainer.gradients(context, feed); });
            },
            py::arg("context"), py::arg("feed"), "Of the whole feed as one batch; nothing changes.")
        .def_property_readonly(
            "step", [](const TrainingHandle &self) { return self.with([](const auto &trainer) { return trainer.cursor().step; }); },
            "Optimizer steps made.")
        .def_property_readonly(
            "epoch", [](const TrainingHandle &self) { return self.with([](const auto &trainer) { return trainer.cursor().epoch; }); })
        .def_property_readonly(
            "position", [](const TrainingHandle &self) { return self.with([](const auto &trainer) { return trainer.cursor().position; }); },
            "Batches done in this epoch.")
        .def_property_readonly(
            "learning_rate",
            [](const TrainingHandle &self) { return self.with([](const auto &trainer) { return trainer.learning_rate(); }); },
            "Of the next step.")
        .def_property_readonly(
            "given_rate", [](const TrainingHandle &self) { return self.with([](const auto &trainer) { return trainer.given_rate(); }); },
            "What set_learning_rate was told last.")
        .def(
            "set_learning_rate",
            [](TrainingHandle &self, std::optional<double> rate) { self.with([&](auto &trainer) { trainer.set_learning_rate(rate); }); },
            py::arg("rate"), "Of all steps from now on, in place of the schedule's; None: the schedule's again.")
        .def(
            "sample",
            [](TrainingHandle &self, std::int64_t first, std::vector<double> rates) {
                self.with([&](auto &trainer) { trainer.sample(first, std::move(rates)); });
            },
            py::arg("first"), py::arg("rates"), "Rates of the steps from `first` on, for the schedule \"sampled\".")
        .def(
            "watch", [](TrainingHandle &self, Index every) { self.with([&](auto &trainer) { trainer.watch(every); }); }, py::arg("every"),
            "Looks at the layers at each step whose number `every` divides; 0: at none.")
        .def(
            "watched", [](TrainingHandle &self) { return self.with([](auto &trainer) { return trainer.watched(); }); },
            "The looks since the last call: steps (n,), names of the stages, and (n, stages, quantities); and the loss of every batch.")
        .def(
            "begin_epoch", [](TrainingHandle &self) { self.with([](auto &trainer) { trainer.begin_epoch(); }); },
            "Drops an epoch under way.")
        .def(
            "end_epoch", [](TrainingHandle &self) { return self.with([](auto &trainer) { return trainer.end_epoch(); }); },
            "Ends an epoch that came in parts; its mean loss and metrics.")
        .def(
            "set_epoch", [](TrainingHandle &self, Index epoch) { self.with([&](auto &trainer) { trainer.set_epoch(epoch); }); },
            py::arg("epoch"))
        .def("snapshot",
             [](const TrainingHandle &self) {
                 return SnapshotHandle{
                     self.with([](const auto &trainer) { return std::variant<Snapshot<float>, Snapshot<double>>{trainer.snapshot()}; })};
             })
        .def(
            "restore",
            [](TrainingHandle &self, const SnapshotHandle &snapshot) {
                std::visit(
                    [&]<class T>(const std::unique_ptr<Trainer<T>> &trainer) {
                        const auto *value = std::get_if<Snapshot<T>>(&snapshot.snapshot);
                        if (!value) throw py::value_error("the snapshot is of another dtype");
                        trainer->restore(*value);
                    },
                    self.trainer);
            },
            py::arg("snapshot"))
        .def(
            "keep", [](TrainingHandle &self) { self.with([](auto &trainer) { trainer.keep(); }); },
            "Keeps what a snapshot has, for `go_back`.")
        .def(
            "go_back", [](TrainingHandle &self) { self.with([](auto &trainer) { trainer.go_back(); }); }, "Back to what was kept last.")
        .def(
            "let_go", [](TrainingHandle &self) { self.with([](auto &trainer) { trainer.let_go(); }); },
            "Frees what was kept, and targets that were read, where either is more than 16 MiB.");
}

} // namespace ganglion::bindings
