#include "ganglion/run.hpp"
#include "ganglion/error.hpp"
#include "ganglion/leaves.hpp"
#include "ganglion/side_step.hpp"
#include <chrono>
#include <cmath>

namespace ganglion {
namespace {

constexpr Index most_epochs = 1 << 16;
// So long, and so many steps, until the threads' parts may be others: what makes a processor slower for a while lasts longer, and to begin
// anew costs some microseconds.
constexpr double balance_seconds = 20e-3;
constexpr Index balance_steps = 64;

// The panels of a forward pass, handed out to a team until there are no more or somebody interrupts.
class Panels {
  public:
    Panels(Index count, const Interrupted &interrupted) : count_(count), interrupted_(interrupted) {}
    // The next one for this thread; -1: no more.
    Index take(int thread) {
        const Index panel = next_++;
        if (thread == 0 && interrupted_ && ++taken_ % panels_between_looks == 0 && Clock::now() - asked_ >= poll_interval) {
            if (interrupted_()) {
                given_up_ = true;
                next_ = count_;
            }
            asked_ = Clock::now();
        }
        return panel < count_ ? panel : -1;
    }
    bool given_up() const { return given_up_; }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr auto poll_interval = std::chrono::milliseconds(50);
    static constexpr Index panels_between_looks = 64; // at the clock

    const Index count_;
    const Interrupted &interrupted_;
    std::atomic<Index> next_{0};
    // Thread 0's:
    Index taken_ = 0;
    bool given_up_ = false;
    Clock::time_point asked_;
};

template <class T> bool finite(const Kernels<T> &kernels, const Buffer<T> &buffer, Index offset, Index size) {
    return buffer.size() == 0 || std::isfinite(kernels.largest({buffer.data() + offset, 1, size, size}));
}

} // namespace

template <class T>
void run(const Context &context, Training<T> &training, Processor<T> &processor, const Feed<T> &feed, const RunOptions &options,
         Report &report) {
    const DefaultArithmetic mode;
    report = {context.kernel_set->name, 0, {}, {}, {}, {}, 0, 0, {}, {}, {}, false};
    require_derivatives(training.architecture);
    check_feed(training, feed);
    if (options.batch_size <= 0) throw std::invalid_argument("batch_size must be at least 1, not " + std::to_string(options.batch_size));
    if (feed.rows() == 0) throw std::invalid_argument("x has no rows; training needs at least one");
    if (options.part && (options.steps != 1 || options.batch_size < feed.rows() || options.shuffle))
        throw std::invalid_argument("a part of an epoch is one batch, in its own order");
    if (!training.state.learning_rate) training.schedule.check(static_cast<std::int64_t>(training.state.cursor.step), options.steps);
    if (options.balance && (!options.strategy || options.balance->team() != context.threads))
        throw std::invalid_argument("parts belong to a plan that is named, and to the context's number of threads");
    const Kernels<T> &kernels = kernels_of<T>(*context.kernel_set);
    const Index batch = std::min(options.batch_size, feed.rows());
    const int least = context.threads > 0 ? context.threads : 1;
    const int most = context.threads > 0 ? context.threads : may_share(training.architecture, batch) ? default_team() : 1;
    // Parts of an epoch may differ in size: a smaller one makes do with the memory of those before.
    const bool goes_on = options.part && training.state.cursor.position > 0;
    const Index full = goes_on ? std::max(batch, processor.batch_size()) : batch;
    processor.prepare(kernels, training, full, full == batch ? feed.rows() : full + batch, least, most, options.strategy);

    processor.end_given_balances();
    if (options.balance) processor.use_balance({context.threads, *options.strategy}, *options.balance);

    auto asked = std::chrono::steady_clock::now();
    Request<T> request{&feed, batch, 0, options.shuffle, false, options.stop, &asked, options.part, options.last};
    const Index most_steps = most_epochs * ((feed.rows() + batch - 1) / batch); // of one run: its history has a bounded size
    if (training.monitor) training.monitor->expect(std::min(options.steps, most_steps));
    std::optional<SideStep<T>> aside; // rarely needed, and dear beside a step of a microsecond
    Team timed_team = {};
    std::vector<double> seconds; // of each of its phases, in all of so many steps:
    double timed = 0;
    while (report.steps < options.steps && !report.stopped) {
        TeamTrial &trial = processor.trial();
        const bool trying = !trial.decided();
        request.steps = std::min({options.steps - report.steps, most_steps, trying ? trial.steps() : trial.steps_until_stale()});
        request.balances = !trying && trial.team().threads > 1 && request.steps >= Timesheet::fewest_steps; // a trial's windows are short
        if (request.balances) {
            const double known = processor.step_seconds(), wanted = known > 0 ? balance_seconds / known : 0;
            request.steps = std::min(request.steps, std::max(balance_steps, static_cast<Index>(wanted)));
        }
        // A step with a look is no measure of the others: it is the first of a run, which is not timed.
        const Monitor *monitor = training.monitor && training.monitor->every > 1 ? &*training.monitor : nullptr;
        const Index left = monitor ? monitor->left(training.state.cursor.step) : 1;
        if (trying && monitor) request.steps = std::min(request.steps, left > 0 ? left : monitor->every);
        const auto began = trying ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point{};
        const Team team = trial.team();
        Result<T> result = processor.run_with(team, training, request);
        if (trying && full == batch && result.outcome == Outcome::done && (result.step_seconds > 0 || left > 0)) {
            // A caller who makes one step at a time pays for waking the team each time.
            const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - began;
            trial.record(result.step_seconds > 0 ? result.step_seconds : whole.count(), result.steps);
        } else if (request.balances && result.step_seconds > 0) trial.watch(result.step_seconds);
        const auto keep = [&](const Result<T> &made) {
            report.steps += made.steps;
            report.counts += made.counts;
            report.epochs.insert(report.epochs.end(), made.epochs.begin(), made.epochs.end());
            report.team = made.team;
        };
        keep(result);
        if (!result.seconds.empty()) {
            if (timed_team != team || seconds.size() != result.seconds.size()) seconds.assign(result.seconds.size(), 0.0), timed = 0;
            timed_team = team;
            for (std::size_t p = 0; p < seconds.size(); ++p) seconds[p] += result.seconds[p] * static_cast<double>(result.steps);
            timed += static_cast<double>(result.steps);
        }
        if (result.outcome == Outcome::unbounded) {
            if (!aside) aside.emplace(kernels, training, processor);
            result = aside->careful(request, processor.plan().team);
            keep(result);
            report.careful_steps += result.steps;
        }
        if (result.outcome == Outcome::bad_input) throw_non_finite<T>(feed.x, training.architecture.input_scale.layer);
        if (result.outcome == Outcome::diverged)
            throw_diverged<T>(training.architecture.stages[result.stage].layer, result.what, training.state.cursor.step);
        report.stopped = result.outcome == Outcome::stopped;
    }
    report.phases = processor.plan().phase_names();
    report.parts = processor.plan().balance.parts();
    report.allotted = processor.plan().allotted;
    for (const double total : seconds) report.seconds.push_back(total / timed);
    report.seconds.resize(report.phases.size());
    // What takes a pass over all rows would take it at every step of those who make one at a time.
    if (training.state.rows > 0) append_means(training, options.steps == 1, report.running);
}

template <class T>
Evaluation evaluate(const Context &context, const Training<T> &training, const Feed<T> &feed, const Interrupted &interrupted) {
    const DefaultArithmetic mode;
    check_feed(training, feed);
    const Index n = feed.rows();
    if (n == 0) throw std::invalid_argument("x has no rows; evaluation needs at least one");
    const Kernels<T> &kernels = kernels_of<T>(*context.kernel_set);
    const Architecture &net = training.architecture;
    const LossKernels<T> &loss = find_loss(kernels, training.loss, training.target);
    const Index panels = (n + leaf_rows - 1) / leaf_rows;
    const int most = context.threads > 0 ? context.threads : available_team(useful_forward_team(net, n, sizeof(T)));
    const int team = static_cast<int>(std::min<Index>(panels, most));
    Buffer<T> losses(n);
    using Seen = std::vector<MetricState>;
    Seen nothing;
    for (const Metric &metric : training.metrics) nothing.push_back(metric.begin());
    std::vector<Seen> seen(static_cast<std::size_t>(panels), nothing);
    std::vector<Workspace<T>> spaces;
    for (int t = 0; t < team; ++t) spaces.push_back(make_loss_workspace<T>(net, std::min(n, leaf_rows), training.metrics));
    Panels queue(panels, interrupted);
    std::atomic<bool> all_finite{true};
    parallel(team, [&](int thread, int) {
        Workspace<T> &space = spaces[static_cast<std::size_t>(thread)];
        Scratch<T> &scratch = space.threads[0];
        Step<T> step{.kernels = &kernels,
                     .net = &net,
                     .parameters = &training.network->parameters,
                     .feed = &feed,
                     .workspace = &space,
                     .loss = &loss,
                     .metrics = &training.metrics,
                     .loss_scale = loss_scale(loss, n, net.outputs),
                     .loss_parameter = static_cast<T>(training.loss.parameter),
                     .host = training.loss.host.get()};
        step.finite = std::isfinite(training.network->parameters.largest);
        take_moving_variances(step);
        for (Index panel = queue.take(thread); panel >= 0; panel = queue.take(thread)) {
            set_batch(step, panel * leaf_rows, std::min(leaf_rows, n - panel * leaf_rows));
            scratch.notes.reset();
            gather_rows(step, 0, step.rows, scratch);
            if (!std::isfinite(scratch.notes.input())) all_finite = false;
            forward_rows(step, 0, step.rows, scratch);
            loss_rows(step, 0, step.rows, scratch);
            std::copy_n(space.losses.data(), step.rows, losses.data() + step.first);
            for (std::size_t m = 0; m < training.metrics.size(); ++m) {
                const Metric &metric = training.metrics[m];
                metric.row->add(metric, space.metrics[m].data(), space.capacity, step.rows, seen[static_cast<std::size_t>(panel)][m]);
            }
        }
    });
    if (queue.given_up()) return {};
    if (!all_finite) throw_non_finite<T>(feed.x, training.architecture.input_scale.layer);
    const double mean = sum_rows(losses.data(), n) / static_cast<double>(loss.per_element ? n * net.outputs : n);
    Evaluation evaluation{mean + penalty_of(kernels, net, training.network->parameters), {}};
    std::vector<Seen> slots(static_cast<std::size_t>(tree_slots(n)), nothing); // a panel is a leaf
    sum_leaves(
        n,
        [&](Index slot, Index first, Index) {
            slots[static_cast<std::size_t>(slot)] = std::move(seen[static_cast<std::size_t>(first / leaf_rows)]);
        },
        [&](Index to, Index from) {
            for (std::size_t m = 0; m < nothing.size(); ++m)
                slots[static_cast<std::size_t>(to)][m].add(std::move(slots[static_cast<std::size_t>(from)][m]));
        });
    for (std::size_t m = 0; m < nothing.size(); ++m) evaluation.metrics.push_back(training.metrics[m].finish(slots[0][m], n));
    return evaluation;
}

template <class T> Gradients<T> gradients(const Context &context, const Training<T> &training, const Feed<T> &feed) {
    const DefaultArithmetic mode;
    require_derivatives(training.architecture);
    check_feed(training, feed);
    if (feed.rows() == 0) throw std::invalid_argument("x has no rows; a gradient needs at least one");
    const Kernels<T> &kernels = kernels_of<T>(*context.kernel_set);
    Training<T> copy = training; // its counters move, the parameters do not
    Request<T> request{&feed, feed.rows(), 1, false, true, {}, nullptr};
    accumulate_batches(copy, 1);
    copy.state.cursor.position = copy.state.cursor.batches = 0;
    copy.state.learning_rate = 0; // of an update that is not made
    const int team = context.threads > 0 ? context.threads : available_team(useful_team(training.architecture, feed.rows()));
    const std::uint64_t version = copy.network->parameters.version;
    Processor<T> processor;
    processor.prepare(kernels, copy, feed.rows(), feed.rows(), team, team, Strategy::gradients);
    const Result<T> result = processor.run_with({team, Strategy::gradients}, copy, request);
    if (result.outcome == Outcome::bad_input) throw_non_finite<T>(feed.x, training.architecture.input_scale.layer);
    if (result.outcome == Outcome::diverged)
        throw_diverged<T>(copy.architecture.stages[result.stage].layer, result.what, copy.state.cursor.step);
    const Buffer<T> &values = processor.fetch_gradients();
    for (const Parameter &parameter : copy.architecture.parameters)
        if (!finite(kernels, values, parameter.offset, parameter.rows * parameter.stride))
            throw_diverged<T>(parameter.layer, "gradient", copy.state.cursor.step);
    Parameters<T> &parameters = copy.network->parameters;
    if (parameters.transposed_version == parameters.version) parameters.transposed_version = version;
    parameters.version = version;
    return {processor.mean_loss(find_loss(kernels, copy.loss, copy.target), copy.architecture, feed.rows()), values};
}

namespace {

// A step of a forward pass over some rows of x. Parameters are only read.
template <class T> Step<T> forward_step(const Kernels<T> &kernels, const Network<T> &network, const Feed<T> &feed, Workspace<T> &space) {
    static const std::vector<Metric> none;
    auto *parameters = const_cast<Parameters<T> *>(&network.parameters);
    Step<T> step{};
    step.kernels = &kernels;
    step.net = &network.architecture;
    step.parameters = parameters;
    step.feed = &feed;
    step.workspace = &space;
    step.metrics = &none;
    step.finite = std::isfinite(network.parameters.largest);
    return step;
}

template <class T> void copy_output(const Step<T> &step, const MatrixView<T> &out) {
    const Index outputs = step.net->outputs;
    const MatrixView<const T> h = read(step.workspace->h.back(), 0, step.rows, 0, outputs, outputs);
    copy_columns(h, 0, MatrixView<T>{out.data + step.first * out.stride, step.rows, outputs, out.stride});
}

// Panels of rows, handed out to the team. Returns whether all of x was finite.
template <class T>
bool predict_rows(const Kernels<T> &kernels, const Network<T> &network, const Feed<T> &feed, const MatrixView<T> &out, int team,
                  Panels &queue, Index panel_rows) {
    std::vector<Workspace<T>> spaces = network.forward_memory.take(network.architecture, team, panel_rows);
    std::atomic<bool> all_finite{true};
    parallel(team, [&](int thread, int) {
        Workspace<T> &space = spaces[static_cast<std::size_t>(thread)];
        Scratch<T> &scratch = space.threads[0];
        Step<T> step = forward_step(kernels, network, feed, space);
        take_moving_variances(step);
        for (Index panel = queue.take(thread); panel >= 0; panel = queue.take(thread)) {
            set_batch(step, panel * panel_rows, std::min(panel_rows, out.rows - panel * panel_rows));
            scratch.notes.reset();
            gather_rows(step, 0, step.rows, scratch);
            if (!std::isfinite(scratch.notes.input())) all_finite = false;
            forward_rows(step, 0, step.rows, scratch);
            copy_output(step, out);
        }
    });
    network.forward_memory.give_back(std::move(spaces));
    return all_finite;
}

// A few rows, to each thread its own columns of every layer.
template <class T>
bool predict_columns(const Kernels<T> &kernels, const Network<T> &network, const Feed<T> &feed, const MatrixView<T> &out, int team) {
    const Architecture &net = network.architecture;
    std::vector<Workspace<T>> spaces = network.forward_memory.take(net, 1, out.rows);
    Workspace<T> &space = spaces.front();
    add_threads(space, net, team);
    take_moving_variances(forward_step(kernels, network, feed, space));
    std::atomic<bool> all_finite{true};
    for (int ran = 0; ran != team;) {
        if (ran > 0) team = ran; // OpenMP gave fewer threads, which did nothing
        const Plan plan = build_forward_plan(net, out.rows, team);
        Barrier barrier(team);
        ran = parallel(team, [&](int thread, int given) {
            if (given != team) return;
            Scratch<T> &scratch = space.threads[static_cast<std::size_t>(thread)];
            Step<T> step = forward_step(kernels, network, feed, space);
            set_batch(step, 0, out.rows);
            scratch.notes.reset();
            for (const Phase &phase : plan.phases) {
                for (Index unit = phase.first[at(thread)]; unit < phase.first[at(thread + 1)]; ++unit)
                    run_unit(phase.kind, step, phase.units[at(unit)], scratch);
                barrier.wait(thread, team);
            }
            if (!std::isfinite(scratch.notes.input())) all_finite = false;
            if (thread == 0) copy_output(step, out);
        });
    }
    network.forward_memory.give_back(std::move(spaces));
    return all_finite;
}

// Returns false where x holds what is not finite. An interrupted pass leaves out as it is.
template <class T>
bool predict_with(const Kernels<T> &kernels, const Network<T> &network, const Feed<T> &feed, const MatrixView<T> &out, int team,
                  const Interrupted &interrupted) {
    constexpr Index few_rows = 8; // for one thread: with fewer its register tiles are not full
    const Index n = out.rows;
    if (team > 1 && n < few_rows * team) return predict_columns(kernels, network, feed, out, team);
    const Index panel_rows = std::min(leaf_rows, (n + team - 1) / team), panels = (n + panel_rows - 1) / panel_rows;
    Panels queue(panels, interrupted);
    const bool finite = predict_rows(kernels, network, feed, out, static_cast<int>(std::min<Index>(panels, team)), queue, panel_rows);
    return finite || queue.given_up();
}

} // namespace

template <class T>
void predict(const Context &context, const Network<T> &network, const Source &x, MatrixView<T> out, const Interrupted &interrupted) {
    const DefaultArithmetic mode;
    const Kernels<T> &kernels = kernels_of<T>(*context.kernel_set);
    const Index n = out.rows;
    if (n == 0) return;
    Feed<T> feed;
    feed.x = x;
    const int most = context.threads > 0 ? context.threads : available_team(useful_forward_team(network.architecture, n, sizeof(T)));
    const bool measured = context.threads <= 0 && most > 1;
    const int team = measured ? network.forward_trial.team(n, most) : most;
    const auto start = measured ? ForwardTrial::Clock::now() : ForwardTrial::Clock::time_point{};
    if (!predict_with(kernels, network, feed, out, team, interrupted)) throw_non_finite<T>(x, network.architecture.input_scale.layer);
    if (!measured) return;
    const auto now = ForwardTrial::Clock::now();
    network.forward_trial.record(n, team, std::chrono::duration<double>(now - start).count(), now);
}

template void run(const Context &, Training<float> &, Processor<float> &, const Feed<float> &, const RunOptions &, Report &);
template void run(const Context &, Training<double> &, Processor<double> &, const Feed<double> &, const RunOptions &, Report &);
template Evaluation evaluate(const Context &, const Training<float> &, const Feed<float> &, const Interrupted &);
template Evaluation evaluate(const Context &, const Training<double> &, const Feed<double> &, const Interrupted &);
template Gradients<float> gradients(const Context &, const Training<float> &, const Feed<float> &);
template Gradients<double> gradients(const Context &, const Training<double> &, const Feed<double> &);
template void predict(const Context &, const Network<float> &, const Source &, MatrixView<float>, const Interrupted &);
template void predict(const Context &, const Network<double> &, const Source &, MatrixView<double>, const Interrupted &);

} // namespace ganglion
