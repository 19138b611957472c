// A training as Python uses it: runs beside the GIL, whose exceptions wait for their end, and what is kept between runs.
#pragma once
#include "batches.hpp"
#include "ganglion/error.hpp"
#include "handles.hpp"
#include "results.hpp"
#include <pybind11/stl.h>

namespace ganglion::bindings {

template <class T> struct Snapshot {
    Buffer<T> values;
    TrainingState<T> state;
};

using Parts = std::optional<std::pair<std::vector<double>, std::vector<double>>>;

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

    ReportHandle run(const Context &context, const FeedHandle &data, Index batch_size, Index steps, bool shuffled,
                     std::optional<Strategy> strategy, const py::object &stop, bool part, bool last, const Parts &parts) {
        const Feed<T> &feed = feed_of<T>(data);
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

    // Whole epochs, in one run, on arrays that can be read as they are; None, and no step, for any others, or where memory is short. NaN or
    // infinity in x leaves weights, moments and counters as they were.
    py::object try_epochs(const Context &context, const py::handle &x, const py::handle &y, ValueRule rule, Index batch_size, Index epochs,
                          bool shuffled, const py::object &stop) {
        const Claim claim(training_.network->busy);
        require(claim);
        const LetGo after{*this};
        try {
            if (!read_batch(x, y, training_.architecture, training_.target, rule, batch_)) return py::none();
            keep();
        } catch (const std::bad_alloc &) {
            return py::none();
        }
        training_.monitor.reset();
        begin_epoch();
        Watch watch(stop);
        try {
            const py::gil_scoped_release release;
            const Index batch = std::min(batch_size, batch_.rows()), steps = (batch_.rows() + batch - 1) / batch * epochs;
            ganglion::run(context, training_, processor_, batch_,
                          {batch, steps, shuffled, {}, [&watch](const Progress &p) { return watch(p); }, false}, report_);
        } catch (const NonFiniteInput &) {
            put_back(*kept_);
            throw;
        }
        watch.rethrow();
        return py::cast(report());
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
        const TrainingState<T> &state = training_.state;
        if (snapshot.values.size() != training_.network->parameters.values.size() ||
            snapshot.state.metrics.size() != state.metrics.size() || snapshot.state.moments[0].size() != state.moments[0].size() ||
            snapshot.state.moments[1].size() != state.moments[1].size())
            throw py::value_error("the snapshot is of another network, optimizer or list of metrics");
        put_back(snapshot);
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
    // Frees it, and the last targets, where they are much: then new memory costs little beside the steps.
    void let_go() {
        constexpr Index most = Index{1} << 24, item = static_cast<Index>(sizeof(T));
        if (batch_.values.size() * item + static_cast<Index>(batch_.labels.capacity() * sizeof(std::int32_t)) > most) batch_ = {};
        if (!kept_) return;
        const TrainingState<T> &state = kept_->state;
        const Index kept = kept_->values.size() + state.moments[0].size() + state.moments[1].size() + state.gradients.size();
        if (kept * item > most) kept_.reset();
    }

  private:
    void require(const Claim &claim) const {
        if (!claim) throw std::runtime_error("the network is being trained already; wait until that run is done, or train a copy");
    }

    void put_back(const Snapshot<T> &snapshot) {
        training_.network->parameters.values = snapshot.values;
        values_changed(training_.network->parameters);
        training_.state = snapshot.state;
    }
    struct LetGo {
        Trainer &trainer;
        ~LetGo() { trainer.let_go(); }
    };

    // Steps on single batches are of no epoch.
    struct Restored {
        Index &epoch;
        Index before;
        ~Restored() { epoch = before; }
    };

    Training<T> training_;
    Processor<T> processor_;
    Report report_{}; // of the latest run
    Feed<T> batch_;   // of the latest try_step or try_epochs
    std::optional<Snapshot<T>> kept_;
};

} // namespace ganglion::bindings
