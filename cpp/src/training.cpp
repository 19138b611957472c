#include "ganglion/training.hpp"
#include "ganglion/initializers.hpp"
#include "ganglion/threads.hpp"
#include <algorithm>
#include <cmath>
#include <limits>

namespace ganglion {

Claim::Claim(std::atomic<bool> &busy) : busy_(busy), held_(!busy.exchange(true)) {}
Claim::~Claim() {
    if (held_) busy_.store(false);
}

template <class T> std::vector<Workspace<T>> ForwardMemory<T>::take(const Architecture &net, int team, Index rows) {
    std::vector<Workspace<T>> spaces;
    {
        const std::lock_guard lock(busy_);
        spaces.swap(kept_);
    }
    if (!spaces.empty() && spaces.front().capacity < rows) spaces.clear();
    const Index capacity = spaces.empty() ? rows : spaces.front().capacity; // the same of all
    while (static_cast<int>(spaces.size()) < team) spaces.push_back(make_forward_workspace<T>(net, capacity));
    return spaces;
}

template <class T> void ForwardMemory<T>::give_back(std::vector<Workspace<T>> spaces) {
    const std::lock_guard lock(busy_);
    kept_ = std::move(spaces);
}

template <class T> std::shared_ptr<Network<T>> make_network(Architecture architecture, std::uint64_t seed) {
    const DefaultArithmetic mode;
    auto network = std::make_shared<Network<T>>();
    network->seed = seed;
    Parameters<T> &parameters = network->parameters;
    parameters.values = Buffer<T>(architecture.parameter_elements);
    parameters.transposed = Buffer<T>(architecture.transposed_elements);
    Index fan_in = architecture.inputs, fan_out = 1;
    for (std::size_t p = 0; p < architecture.parameters.size(); ++p) {
        const Parameter &parameter = architecture.parameters[p];
        if (parameter.is_kernel) { // a bias has its kernel's fans
            fan_in = parameter.rows;
            fan_out = parameter.columns;
        }
        try {
            initialize(parameter.initializer,
                       MatrixView<T>{parameters.values.data() + parameter.offset, parameter.rows, parameter.columns, parameter.stride},
                       fan_in, fan_out, seed, static_cast<std::uint32_t>(p));
        } catch (const std::invalid_argument &error) {
            throw std::invalid_argument("layer '" + parameter.layer + "': " + error.what());
        }
    }
    values_changed(parameters);
    network->architecture = std::move(architecture);
    return network;
}

template <class T> void assign(Network<T> &network, std::size_t index, MatrixView<const T> value) {
    const Parameter &parameter = network.architecture.parameters.at(index);
    if (value.rows != parameter.rows || value.columns != parameter.columns)
        throw std::invalid_argument("layer '" + parameter.layer + "': expected shape (" + std::to_string(parameter.rows) + ", " +
                                    std::to_string(parameter.columns) + "), got (" + std::to_string(value.rows) + ", " +
                                    std::to_string(value.columns) + ")");
    for (Index r = 0; r < value.rows; ++r)
        for (Index c = 0; c < value.columns; ++c)
            if (!std::isfinite(value.data[r * value.stride + c]))
                throw std::invalid_argument("layer '" + parameter.layer + "': the value at [" + std::to_string(r) + ", " +
                                            std::to_string(c) + "] is not a finite number; weights must be finite");
    if (!parameter.negative && std::any_of(value.data, value.data + value.columns, [](T x) { return x < 0; }))
        throw std::invalid_argument("layer '" + parameter.layer + "': a moving variance must not be negative");
    for (Index r = 0; r < value.rows; ++r)
        std::copy_n(value.data + r * value.stride, value.columns,
                    network.parameters.values.data() + parameter.offset + r * parameter.stride);
    values_changed(network.parameters);
}

template <class T> void values_changed(Parameters<T> &parameters) {
    const Index size = parameters.values.size();
    parameters.largest = kernels_of<T>(best_kernel_set()).largest({parameters.values.data(), 1, size, size});
    ++parameters.version;
}

template <class T>
constexpr LossKernels<T> host_losses[] = {{"host", TargetKind::labels, false, nullptr}, {"host", TargetKind::values, false, nullptr}};

template <class T> const LossKernels<T> &find_loss(const Kernels<T> &kernels, const LossDescription &loss, TargetKind target) {
    if (loss.host) return host_losses<T>[target == TargetKind::values];
    return find_loss(kernels, loss.name, target);
}

template <class T> const LossKernels<T> &find_loss(const Kernels<T> &kernels, const std::string &name, TargetKind target) {
    const auto rows = rows_of(kernels.losses);
    find_row(rows, name, "loss");
    for (const LossKernels<T> &row : rows)
        if (name == row.name && row.target == target) return row;
    throw std::invalid_argument("loss '" + name + "' takes " +
                                (target == TargetKind::labels ? "values, not class labels" : "class labels, not values"));
}

template <class T> void check_epsilon(const OptimizerDescription &optimizer) {
    if (find_optimizer(optimizer.name).divides && !(static_cast<T>(optimizer.epsilon) >= std::numeric_limits<T>::min()))
        throw std::invalid_argument("epsilon must be at least the smallest normal number of the model's dtype, " +
                                    std::to_string(std::numeric_limits<T>::digits == 24 ? -126 : -1022) + " as a power of 2");
}

template <class T>
Training<T> make_training(std::shared_ptr<Network<T>> network, LossDescription loss, TargetKind target, OptimizerDescription optimizer,
                          NamedSchedule schedule, std::vector<MetricDescription> metrics) {
    const Kernels<T> &kernels = kernels_of<T>(best_kernel_set()); // the same rows in every set
    find_loss(kernels, loss, target);
    const auto &row = find_row(rows_of(kernels.optimizers), optimizer.name, "optimizer");
    check_epsilon<T>(optimizer);
    Architecture net = network->architecture;
    const bool fused = fuse_loss(loss, net);
    Training<T> training{
        std::move(network), std::move(net), std::move(loss), fused, target, std::move(optimizer), std::move(schedule), {}, {}};
    for (int m = 0; m < row.moments; ++m) training.state.moments[m] = Buffer<T>(training.architecture.parameter_elements);
    if (row.moments > 0 && training.optimizer.initial_accumulator != 0) {
        const auto start = static_cast<T>(training.optimizer.initial_accumulator);
        std::fill_n(training.state.moments[0].data(), training.state.moments[0].size(), start); // padding has no gradient
        training.state.largest_moment = static_cast<double>(start);
    }
    const Stage &own = training.network->architecture.stages.back();
    for (MetricDescription &description : metrics) {
        Metric &metric = training.metrics.emplace_back(make_metric(std::move(description), training.architecture.outputs, target));
        if (fused) {
            metric.activation = own.activation;
            metric.alpha = own.alpha;
        }
        training.state.metrics.push_back(metric.begin());
    }
    return training;
}

template <class T> void append_means(const Training<T> &training, bool quick, std::vector<double> &to) {
    const TrainingState<T> &state = training.state;
    to.push_back(state.loss / static_cast<double>(state.rows));
    for (std::size_t m = 0; m < training.metrics.size(); ++m) {
        const Metric &metric = training.metrics[m];
        to.push_back(quick && metric.at_end() ? std::numeric_limits<double>::quiet_NaN() : metric.finish(state.metrics[m], state.rows));
    }
}

template <class T> void clear_sums(TrainingState<T> &state) {
    state.loss = 0;
    for (MetricState &metric : state.metrics) metric.clear();
    state.rows = 0;
}

void require_derivatives(const Architecture &net) {
    bool weights = false;
    for (const Stage &stage : net.stages) {
        weights = weights || weight_of(stage) >= 0 || stage.bias >= 0;
        if (weights && stage.needs == Needs::nothing)
            throw std::invalid_argument("layer '" + stage.layer +
                                        "': a step is flat on both sides, so that no gradient passes it and the weights before it "
                                        "cannot be trained; train with activation=\"sigmoid\", and put these weights into a model with "
                                        "the step to predict");
    }
}

template <class T> Demands demands_of(const Training<T> &training) {
    const Architecture &net = training.architecture;
    const Index of_both = 2 * net.transposed_elements * static_cast<Index>(sizeof(T)); // W and Wᵀ
    return {.norm = training.optimizer.clip_norm > 0,
            .penalty = penalized(net),
            .sums = training.accumulate > 1,
            .small_weights = of_both > 0 && of_both <= near_bytes};
}

template <class T> bool has_host(const Training<T> &training) {
    const auto of_host = [](const auto &part) { return part.host != nullptr; };
    return training.loss.host || std::ranges::any_of(training.architecture.stages, of_host) ||
           std::ranges::any_of(training.metrics, [&](const Metric &metric) { return of_host(metric.description); });
}

template <class T> void accumulate_batches(Training<T> &training, Index batches) {
    if (batches < 1) throw std::invalid_argument("accumulate must be at least 1, not " + std::to_string(batches));
    training.accumulate = batches;
    training.state.gradients = Buffer<T>(batches > 1 ? training.architecture.parameter_elements : 0);
}

template <class T> void check_feed(const Training<T> &training, const Feed<T> &feed) {
    const Architecture &net = training.architecture;
    if (feed.columns() != net.inputs)
        throw std::invalid_argument("x has " + std::to_string(feed.columns()) + " features; the network was built for " +
                                    std::to_string(net.inputs));
    const Index n = feed.rows();
    if (n > std::numeric_limits<std::int32_t>::max())
        throw std::invalid_argument("x has " + std::to_string(n) + " rows; at most 2147483647 can be trained on at a time");
    if (training.target == TargetKind::labels) {
        if (static_cast<Index>(feed.labels.size()) != n)
            throw std::invalid_argument("x has " + std::to_string(n) + " rows but there are " + std::to_string(feed.labels.size()) +
                                        " labels");
        if (feed.largest_label >= net.outputs)
            throw std::invalid_argument("y has the label " + std::to_string(feed.largest_label) + ", but the network has " +
                                        std::to_string(net.outputs) + " outputs: labels must lie in 0 … " +
                                        std::to_string(net.outputs - 1));
    } else if (feed.values.size() != n * feed.stride || feed.value_columns != net.outputs) {
        throw std::invalid_argument("y must have shape (" + std::to_string(n) + ", " + std::to_string(net.outputs) + ")");
    }
}

template class ForwardMemory<float>;
template class ForwardMemory<double>;
template std::shared_ptr<Network<float>> make_network(Architecture, std::uint64_t);
template std::shared_ptr<Network<double>> make_network(Architecture, std::uint64_t);
template void values_changed(Parameters<float> &);
template void values_changed(Parameters<double> &);
template void assign(Network<float> &, std::size_t, MatrixView<const float>);
template void assign(Network<double> &, std::size_t, MatrixView<const double>);
template const LossKernels<float> &find_loss(const Kernels<float> &, const LossDescription &, TargetKind);
template const LossKernels<double> &find_loss(const Kernels<double> &, const LossDescription &, TargetKind);
template const LossKernels<float> &find_loss(const Kernels<float> &, const std::string &, TargetKind);
template const LossKernels<double> &find_loss(const Kernels<double> &, const std::string &, TargetKind);
template void check_epsilon<float>(const OptimizerDescription &);
template void check_epsilon<double>(const OptimizerDescription &);
template Training<float> make_training(std::shared_ptr<Network<float>>, LossDescription, TargetKind, OptimizerDescription, NamedSchedule,
                                       std::vector<MetricDescription>);
template Training<double> make_training(std::shared_ptr<Network<double>>, LossDescription, TargetKind, OptimizerDescription, NamedSchedule,
                                        std::vector<MetricDescription>);
template void append_means(const Training<float> &, bool, std::vector<double> &);
template void append_means(const Training<double> &, bool, std::vector<double> &);
template void clear_sums(TrainingState<float> &);
template void clear_sums(TrainingState<double> &);
template Demands demands_of(const Training<float> &);
template Demands demands_of(const Training<double> &);
template bool has_host(const Training<float> &);
template bool has_host(const Training<double> &);
template void accumulate_batches(Training<float> &, Index);
template void accumulate_batches(Training<double> &, Index);
template void check_feed(const Training<float> &, const Feed<float> &);
template void check_feed(const Training<double> &, const Feed<double> &);

} // namespace ganglion
