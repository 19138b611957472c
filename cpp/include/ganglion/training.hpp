// What is trained and how: everything a run needs beside the data and the machine.
#pragma once
#include "ganglion/forward_trial.hpp"
#include "ganglion/loss_fusion.hpp"
#include "ganglion/monitor.hpp"
#include "ganglion/phases.hpp"
#include "ganglion/schedule.hpp"
#include <atomic>
#include <memory>
#include <mutex>

namespace ganglion {

// Memory for forward passes, kept from one call to the next. Calls at the same time each get a piece of their own.
template <class T> class ForwardMemory {
  public:
    // For `team` threads and up to `rows` rows each.
    std::vector<Workspace<T>> take(const Architecture &net, int team, Index rows);
    void give_back(std::vector<Workspace<T>> spaces);

  private:
    std::mutex busy_;
    std::vector<Workspace<T>> kept_;
};

// The right to write a network's parameters; whoever finds it taken, in this thread or another, does without.
class Claim {
  public:
    explicit Claim(std::atomic<bool> &busy);
    ~Claim();
    Claim(const Claim &) = delete;
    Claim &operator=(const Claim &) = delete;
    explicit operator bool() const { return held_; }

  private:
    std::atomic<bool> &busy_;
    const bool held_;
};

// A network: what it is, and its parameters. Whoever writes the parameters holds a Claim to `busy`.
template <class T> struct Network {
    Architecture architecture;
    Parameters<T> parameters;
    std::uint64_t seed;
    std::atomic<bool> busy = false;
    mutable ForwardMemory<T> forward_memory;
    mutable ForwardTrial forward_trial;
};

// Parameters drawn by the layers' initializers. Throws std::invalid_argument for an unknown one, naming the layer.
template <class T> std::shared_ptr<Network<T>> make_network(Architecture architecture, std::uint64_t seed);

// Copies a (rows, columns) value into parameter `index`; throws std::invalid_argument where a value is not finite.
template <class T> void assign(Network<T> &network, std::size_t index, MatrixView<const T> value);

// After every write to the values from outside a run.
template <class T> void values_changed(Parameters<T> &parameters);

template <class T> struct Training {
    std::shared_ptr<Network<T>> network;
    Architecture architecture; // the network's; a final softmax or sigmoid is left to the cross-entropy
    LossDescription loss;
    bool fused; // whether there was one
    TargetKind target;
    OptimizerDescription optimizer;
    NamedSchedule schedule;
    std::vector<Metric> metrics;
    TrainingState<T> state;
    Index accumulate = 1; // batches whose mean gradient makes an optimizer step; fewer at an epoch's end
    std::optional<Monitor> monitor = {};
};

template <class T> Demands demands_of(const Training<T> &training);
// Is a part of it written elsewhere, so that nobody knows how long it takes?
template <class T> bool has_host(const Training<T> &training);

// Sets `accumulate`, at least 1, and makes room for the sums.
template <class T> void accumulate_batches(Training<T> &training, Index batches);

template <class T>
Training<T> make_training(std::shared_ptr<Network<T>> network, LossDescription loss, TargetKind target, OptimizerDescription optimizer,
                          NamedSchedule schedule, std::vector<MetricDescription> metrics);

// Appends mean loss and metrics of the epoch so far. `quick`: NaN for the metrics that take long.
template <class T> void append_means(const Training<T> &training, bool quick, std::vector<double> &to);
// Forgets the sums of the epoch under way.
template <class T> void clear_sums(TrainingState<T> &state);

// Of a step, counted from 0: the schedule's unless the state has another.
template <class T> double learning_rate(const Training<T> &training, std::uint64_t step) {
    return training.state.learning_rate ? *training.state.learning_rate : training.schedule.rate(static_cast<std::int64_t>(step));
}

// Throws std::invalid_argument where an update would divide by less than a normal number.
template <class T> void check_epsilon(const OptimizerDescription &optimizer);
// Throws std::invalid_argument, naming the layer, where an activation without a derivative stands after weights.
void require_derivatives(const Architecture &net);

// The row of the loss table with this name for this kind of target.
template <class T> const LossKernels<T> &find_loss(const Kernels<T> &kernels, const std::string &name, TargetKind target);
// The same; of a host loss, one without a kernel.
template <class T> const LossKernels<T> &find_loss(const Kernels<T> &kernels, const LossDescription &loss, TargetKind target);

// Throws std::invalid_argument unless the feed fits the network: columns, labels in range, target shape.
template <class T> void check_feed(const Training<T> &training, const Feed<T> &feed);

} // namespace ganglion
