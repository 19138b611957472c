#include "batches.hpp"
#include "handles.hpp"
#include "results.hpp"
#include <pybind11/stl.h>

namespace ganglion::bindings {
namespace {

template <class T> struct Snapshot {
    Buffer<T> values;
    TrainingState<T> state;
};

struct SnapshotHandle {
    std::variant<Snapshot<float>, Snapshot<double>> snapshot;
};

ValueRule value_rule_of(const std::string &rule) {
    if (rule == "any") return ValueRule::any;
    if (rule == "unit") return ValueRule::unit;
    if (rule == "distribution") return ValueRule::distribution;
    throw_unknown("rule", rule, {"any", "unit", "distribution"});
}

using Parts = std::optional<std::pair<std::vector<double>, std::vector<double>>>;

std::optional<Strategy> strategy_of(const std::string &plan) {
    if (plan == "auto") return {};
    if (plan == "rows") return Strategy::rows;
    if (plan == "layers") return Strategy::layers;
    if (plan == "stored") return Strategy::stored;
    throw_unknown("plan", plan, {"auto", "rows", "layers", "stored"});
}

// Python's part of a run: Ctrl-C and the caller's callback, whose exceptions wait until the run is over.
class Watch {
  public:
    explicit Watch(py::object callback) : callback_(std::move(callback)) {}
    bool operator()(const Progress &progress) {
        const py::gil_scoped_acquire acquire;
        try {
            if (PyErr_CheckSignals() != 0) throw py::error_already_set();
            if (callback_.is_none()) return false;
            const std::vector<double> metrics(progress.means.begin() + 1, progress.means.end());
            return callback_(progress.epoch, progress.position, progress.means[0], tuple_of(metrics)).template cast<bool>();
        } catch (...) {
            error_ = std::current_exception();
            return true;
        }
    }
    void rethrow() const {
        if (error_) std::rethrow_exception(error_);
    }

  private:
    py::object callback_;
    std::exception_ptr error_;
};

template <class T> class Trainer {
  public:
    explicit Trainer(Training<T> training) : training_(std::move(training)) {}

    ReportHandle run(const Context &context, const FeedHandle &data, Index batch_size, Index steps, bool shuffled, const std::string &plan,
                     const py::object &stop, bool part, bool last, const Parts &parts) {
        const Feed<T> &feed = feed_of<T>(data);
        const auto strategy = strategy_of(plan);
        const auto balance = parts ? std::optional<Balance>({parts->first, parts->second}) : std::nullopt;
        Watch watch(stop);
        const Claim claim(training_.network->busy);
        require(claim);
        {
            const py::gil_scoped_release release;
            ganglion::run(context, training_, processor_, feed,
                          {batch_size, steps, shuffled, strategy, [&watch](const Progress &p) { return watch(p); }, part, last, balance},
                          report_);
        }
        watch.rethrow();
        return report();
    }

    // One step on a batch that can be read as it is, and its loss and metrics; None, and no step, for any other.
    py::object try_step(const Context &context, const py::handle &x, const py::handle &y, ValueRule rule) {
        const Claim claim(training_.network->busy); // of the batch's memory, too
        require(claim);
        if (!read_batch(x, y, training_.architecture, training_.target, rule, batch_)) return py::none();
        Watch watch{py::none()};
        const Index epoch = training_.state.cursor.epoch;
        begin_epoch();
        {
            const py::gil_scoped_release release;
            const Restored restored{training_.state.cursor.epoch, epoch};
            ganglion::run(context, training_, processor_, batch_,
                          {batch_.rows(), 1, false, {}, [&watch](const Progress &p) { return watch(p); }, false}, report_);
        }
        watch.rethrow();
        return tuple_of(report_.epochs);
    }

    ReportHandle report() const { return {report_, 1 + training_.metrics.size()}; }

    // Looks at a step in so many from now on; 0: at none.
    void watch(Index every) {
        if (every < 0) throw std::invalid_argument("every must be at least 0, not " + std::to_string(every));
        const Claim claim(training_.network->busy);
        require(claim);
        training_.monitor.reset();
        if (every > 0) training_.monitor = Monitor{every, {}, {}, {}};
    }
    // The looks since the last call.
    py::tuple watched() {
        const Claim claim(training_.network->busy);
        require(claim);
        return taken(training_.monitor, training_.architecture);
    }

    EvaluationHandle evaluate(const Context &context, const FeedHandle &data) const {
        const Feed<T> &feed = feed_of<T>(data);
        Evaluation evaluation;
        Signals signals;
        {
            const py::gil_scoped_release release;
            evaluation = ganglion::evaluate(context, training_, feed, [&signals] { return signals.arrived(); });
        }
        signals.raise();
        return {evaluation.loss, tuple_of(evaluation.metrics), feed.rows()};
    }

    GradientsHandle gradients(const Context &context, const FeedHandle &data) {
        const Feed<T> &feed = feed_of<T>(data);
        const Claim claim(training_.network->busy);
        require(claim);
        Gradients<T> result;
        {
            const py::gil_scoped_release release;
            result = ganglion::gradients(context, training_, feed);
        }
        return {training_.architecture, result};
    }

    double learning_rate() const {
        const auto step = static_cast<std::int64_t>(training_.state.cursor.step);
        if (!training_.state.learning_rate) training_.schedule.check(step, 1);
        return ganglion::learning_rate(training_, training_.state.cursor.step);
    }
    std::optional<double> given_rate() const { return training_.state.learning_rate; }
    void set_learning_rate(std::optional<double> rate) {
        if (rate && !(*rate >= 0 && std::isfinite(*rate)))
            throw std::invalid_argument("learning_rate must be finite and >= 0, not " + py::str(py::float_(*rate)).cast<std::string>());
        const Claim claim(training_.network->busy);
        require(claim);
        training_.state.learning_rate = rate;
    }
    void sample(std::int64_t first, std::vector<double> rates) {
        const Claim claim(training_.network->busy);
        require(claim);
        training_.schedule.set_samples(first, std::move(rates));
    }
    void begin_epoch() {
        training_.state.cursor.position = training_.state.cursor.batches = 0;
        clear_sums(training_.state);
    }
    const LossDescription &loss() const { return training_.loss; }
    bool fused() const { return training_.fused; }
    void require_derivatives() const { ganglion::require_derivatives(training_.architecture); }
    const Cursor &cursor() const { return training_.state.cursor; }
    py::tuple end_epoch() {
        if (training_.state.rows == 0) throw py::value_error("no step of this epoch was made yet");
        std::vector<double> means;
        append_means(training_, false, means);
        begin_epoch();
        ++training_.state.cursor.epoch;
        return tuple_of(means);
    }
    void set_epoch(Index epoch) { training_.state.cursor.epoch = epoch; }

    Snapshot<T> snapshot() const { return {training_.network->parameters.values, training_.state}; }
    void restore(const Snapshot<T> &snapshot) {
        const Claim claim(training_.network->busy);
        require(claim);
        Parameters<T> &parameters = training_.network->parameters;
        const TrainingState<T> &state = training_.state;
        if (snapshot.values.size() != parameters.values.size() || snapshot.state.metrics.size() != state.metrics.size() ||
            snapshot.state.moments[0].size() != state.moments[0].size() || snapshot.state.moments[1].size() != state.moments[1].size())
            throw py::value_error("the snapshot is of another network, optimizer or list of metrics");
        parameters.values = snapshot.values;
        values_changed(parameters);
        training_.state = snapshot.state;
    }

    // For `go_back`; in the memory of the last time, as new memory costs more than what is copied to it.
    void keep() {
        if (!kept_) kept_.emplace();
        kept_->values = training_.network->parameters.values;
        kept_->state = training_.state;
    }
    void go_back() {
        if (!kept_) throw py::value_error("nothing was kept");
        restore(*kept_);
    }
    // Frees it where it is much: then new memory costs little beside the steps.
    void let_go() {
        constexpr Index most = (Index{1} << 24) / static_cast<Index>(sizeof(T));
        if (!kept_) return;
        const TrainingState<T> &state = kept_->state;
        if (kept_->values.size() + state.moments[0].size() + state.moments[1].size() + state.gradients.size() > most) kept_.reset();
    }

  private:
    void require(const Claim &claim) const {
        if (!claim) throw std::runtime_error("the network is being trained already; wait until that run is done, or train a copy");
    }

    // Steps on single batches are of no epoch.
    struct Restored {
        Index &epoch;
        Index before;
        ~Restored() { epoch = before; }
    };

    Training<T> training_;
    Processor<T> processor_;
    Report report_{}; // of the latest run
    Feed<T> batch_;   // of the latest try_step
    std::optional<Snapshot<T>> kept_;
};

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
                return self.with(
                    [&](auto &trainer) { return trainer.run(context, feed, batch_size, steps, shuffle, plan, stop, part, last, parts); });
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
            "Frees what was kept where it is more than 16 MiB.");
}

} // namespace ganglion::bindings
