#include "ganglion/device.hpp"
#include "ganglion/leaves.hpp"
#include "ganglion/random.hpp"
#include <chrono>
#include <cmath>
#include <limits>

namespace ganglion {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto poll_interval = std::chrono::milliseconds(50);
constexpr Index steps_between_timings = 16; // two clock readings a phase would cost the smallest networks a tenth

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Below this, B·max(1,|h|)·|dz| leaves gradients, their squares and the updates finite: 2⁶³ in float32.
template <class T> constexpr double gradient_bound = std::is_same_v<T, float> ? 0x1p63 : 0x1p511;
template <class T> constexpr double weight_bound = std::is_same_v<T, float> ? 0x1p100 : 0x1p900;
constexpr double rate_bound = 0x1p20;

struct Verdict {
    Outcome outcome = Outcome::done;
    std::size_t stage = 0;
    const char *what = "loss";
};

// May this step's gradients go straight into the weights? Every thread finds the same answer from the same notes.
template <class T>
Verdict judge(const Notes<T> &notes, const Training<T> &training, Index rows, double learning_rate, T largest_weight, bool careful) {
    if (!std::isfinite(notes.input)) return {Outcome::bad_input, 0, "input"};
    for (std::size_t s = 0; s < notes.output.size(); ++s)
        if (!std::isfinite(notes.output[s])) return {Outcome::diverged, s, "output"};
    if (!std::isfinite(notes.loss)) return {Outcome::diverged, notes.output.size() - 1, "loss"};
    for (std::size_t s = notes.delta.size(); s-- > 0;)
        if (!std::isfinite(notes.delta[s])) return {Outcome::diverged, s, "gradient"};
    if (careful) return {};
    const OptimizerDescription &optimizer = training.optimizer;
    double largest_input = static_cast<double>(notes.input);
    bool bounded = std::abs(learning_rate) < rate_bound && std::abs(optimizer.weight_decay) < rate_bound && optimizer.epsilon > 0x1p-60 &&
                   static_cast<double>(largest_weight) < weight_bound<T>;
    for (std::size_t s = 0; s < notes.output.size(); ++s) {
        const double gradient = static_cast<double>(rows) * std::max(1.0, largest_input) * static_cast<double>(notes.delta[s]);
        bounded = bounded && gradient < gradient_bound<T>;
        largest_input = static_cast<double>(notes.output[s]);
    }
    return {bounded ? Outcome::done : Outcome::unbounded};
}

// An epoch's batches.
struct Epoch {
    Index rows, batch_size;
    Index steps() const { return (rows + batch_size - 1) / batch_size; }
    Index first(Index position) const { return position * batch_size; }
    Index size(Index position) const { return std::min(batch_size, rows - first(position)); }
};

} // namespace

// What the threads of one run share.
template <class T> struct Processor<T>::Shared {
    Barrier barrier;
    bool stop = false; // written by thread 0 before a step's last barrier, read by all after it
    Result<T> result;
    std::vector<double> seconds;
    Index timed_steps = 0;
};

template <class T>
void Processor<T>::prepare(const Kernels<T> &kernels, const Training<T> &training, Index batch_size, Index rows, int most,
                           std::optional<Strategy> forced) {
    const Index full = std::min(batch_size, rows), last = rows % full == 0 ? full : rows % full;
    const Prepared wanted{&kernels, full, last, most, forced};
    if (prepared_ == wanted) return;
    prepared_.reset();
    const bool stored = forced == Strategy::stored || forced == Strategy::gradients;
    workspace_ = make_workspace<T>(training.architecture, full, most, training.metrics.size(), stored);
    trial_.emplace(most);
    full_.team = 0;
    prepared_ = wanted;
}

template <class T> void Processor<T>::use_team(const Training<T> &training, int team) {
    if (full_.team == team) return;
    const auto plan = [&](Index rows) {
        return build_plan(training.architecture, rows, team, prepared_->forced.value_or(choose_strategy(rows, team)));
    };
    full_ = plan(prepared_->full);
    last_ = plan(prepared_->last);
}

template <class T> void Processor<T>::order_rows(const Training<T> &training, Index rows, Index epoch) {
    if (ordered_ == epoch && static_cast<Index>(order_.size()) == rows) return;
    order_.resize(static_cast<std::size_t>(rows));
    shuffle({training.network->seed, StreamKind::shuffle, 0, static_cast<std::uint32_t>(epoch)}, order_);
    ordered_ = epoch;
}

template <class T> Result<T> Processor<T>::run(Training<T> &training, const Request<T> &request) {
    const Index rows = request.feed->rows();
    refresh_transposed(*prepared_->kernels, training.architecture, training.network->parameters);
    if (request.shuffle) order_rows(training, rows, training.state.cursor.epoch);
    Shared shared;
    const Index epochs = request.steps / Epoch{rows, full_.rows}.steps() + 1;
    shared.result.epochs.reserve(static_cast<std::size_t>(epochs) * training.state.totals.size());
    shared.seconds.assign(full_.phases.size(), 0.0);
    const int team = parallel(full_.team, [&](int thread, int ran) {
        if (ran == full_.team) work(training, request, shared, thread);
    });
    Result<T> &result = shared.result;
    result.team = team;
    if (team != full_.team) result.outcome = Outcome::other_team;
    for (const double seconds : shared.seconds) result.seconds.push_back(shared.timed_steps ? seconds / static_cast<double>(shared.timed_steps) : 0);
    Parameters<T> &parameters = training.network->parameters;
    const bool current = parameters.transposed_version == parameters.version;
    parameters.version += static_cast<std::uint64_t>(result.steps);
    if (current) parameters.transposed_version = parameters.version; // the tiles wrote both
    return std::move(result);
}

template <class T> void Processor<T>::work(Training<T> &training, const Request<T> &request, Shared &shared, int thread) {
    const Kernels<T> &kernels = *prepared_->kernels;
    TrainingState<T> &state = training.state;
    Parameters<T> &parameters = training.network->parameters;
    Cursor cursor = state.cursor; // each thread steps its own copy; thread 0's is the one that is kept
    Scratch<T> &scratch = workspace_.threads[static_cast<std::size_t>(thread)];
    const Epoch epoch{request.feed->rows(), full_.rows};
    const Schedule &schedule = find_schedule(training.schedule);
    const LossKernels<T> &loss = find_loss(kernels, training.loss, training.target);
    Step<T> step{&kernels, &training.architecture, &parameters, {state.moments[0].data(), state.moments[1].data()}, request.feed, &workspace_, &loss,
                 &find_row(rows_of(kernels.optimizers), training.optimizer.name, "optimizer"), &training.metrics,
                 request.shuffle ? order_.data() : nullptr, 0, 0, T(0), {}};
    T largest_weight = parameters.largest;
    scratch.notes.weight = 0;
    Notes<T> merged = scratch.notes;
    auto polled = Clock::now(), first_step_end = polled;

    for (Index made = 0; made < request.steps; ++made) {
        const Index position = cursor.position;
        const bool ends_epoch = position + 1 == epoch.steps();
        step.first = epoch.first(position);
        step.rows = epoch.size(position);
        const Plan &plan = step.rows == full_.rows ? full_ : last_;
        step.loss_scale = loss_scale(loss, step.rows, training.architecture.outputs);
        const double rate = schedule.rate(training.rate, static_cast<std::int64_t>(cursor.step));
        const auto exact = constants(training.optimizer, rate, cursor);
        std::transform(exact.begin(), exact.end(), step.constants, [](double c) { return static_cast<T>(c); });
        scratch.notes.reset();
        const bool timed = thread == 0 && made % steps_between_timings == 0 && plan.phases.size() == full_.phases.size();
        bool judged = false;

        for (std::size_t p = 0; p < plan.phases.size(); ++p) {
            const Phase &phase = plan.phases[p];
            const bool writes = phase.kind == PhaseKind::update || phase.kind == PhaseKind::gradients;
            if (writes && !judged) {
                judged = true;
                merged.reset();
                for (const Scratch<T> &other : workspace_.threads) merged.merge_rows(other.notes);
                const Verdict verdict = judge(merged, training, step.rows, rate, largest_weight, request.careful);
                if (verdict.outcome != Outcome::done) {
                    if (thread == 0) {
                        shared.result.outcome = verdict.outcome;
                        shared.result.stage = verdict.stage;
                        shared.result.what = verdict.what;
                    }
                    return; // all threads find the same
                }
                if (thread == 0) {
                    const auto rows = static_cast<double>(step.rows);
                    const double mean = sum_rows(workspace_.losses.data(), step.rows) / (loss.per_element ? rows * static_cast<double>(training.architecture.outputs) : rows);
                    state.totals[0] += mean * rows;
                    for (std::size_t m = 0; m < training.metrics.size(); ++m) state.totals[1 + m] += sum_rows(workspace_.metrics[m].data(), step.rows);
                    state.rows += step.rows;
                    if (request.stop && Clock::now() - polled >= poll_interval) {
                        Progress progress{cursor.epoch, position + 1, state.totals};
                        for (double &mean_so_far : progress.means) mean_so_far /= static_cast<double>(state.rows);
                        shared.stop = request.stop(progress);
                        polled = Clock::now();
                    }
                }
            }
            if (phase.kind == PhaseKind::apply && request.careful) {
                for (std::size_t s = 0; s < merged.gradient.size(); ++s) {
                    for (const Scratch<T> &other : workspace_.threads)
                        if (!std::isfinite(other.notes.gradient[s])) {
                            if (thread == 0) {
                                shared.result.outcome = Outcome::diverged;
                                shared.result.stage = s;
                                shared.result.what = "gradient";
                            }
                            return;
                        }
                }
            }
            const auto start = timed ? Clock::now() : Clock::time_point{};
            for (Index unit = phase.first[static_cast<std::size_t>(thread)]; unit < phase.first[static_cast<std::size_t>(thread) + 1]; ++unit)
                run_unit(phase.kind, step, phase.units[static_cast<std::size_t>(unit)], scratch);
            shared.barrier.wait(plan.team);
            if (timed) shared.seconds[p] += seconds_since(start);
        }
        for (const Scratch<T> &other : workspace_.threads) largest_weight = std::max(largest_weight, other.notes.weight);

        advance(training.optimizer, cursor);
        ++cursor.step;
        ++cursor.position;
        if (ends_epoch) {
            cursor.position = 0;
            ++cursor.epoch;
        }
        if (thread == 0) {
            if (ends_epoch) {
                for (double &total : state.totals) {
                    shared.result.epochs.push_back(total / static_cast<double>(state.rows));
                    total = 0;
                }
                state.rows = 0;
            }
            shared.result.steps = made + 1;
            shared.timed_steps += timed;
            state.cursor = cursor;
            parameters.largest = largest_weight;
            if (made == 0) first_step_end = Clock::now();
            if (made > 0 && (made + 1 == request.steps || shared.stop))
                shared.result.step_seconds = seconds_since(first_step_end) / static_cast<double>(made);
        }
        if (shared.stop) {
            if (thread == 0) shared.result.outcome = Outcome::stopped;
            return;
        }
        if (ends_epoch && request.shuffle && made + 1 < request.steps) {
            if (thread == 0) order_rows(training, epoch.rows, cursor.epoch);
            shared.barrier.wait(plan.team);
        }
    }
}

template <class T> double Processor<T>::mean_loss(const Training<T> &training, Index rows) const {
    const LossKernels<T> &loss = find_loss(*prepared_->kernels, training.loss, training.target);
    const Index count = loss.per_element ? rows * training.architecture.outputs : rows;
    return sum_rows(workspace_.losses.data(), rows) / static_cast<double>(count);
}

template class Processor<float>;
template class Processor<double>;

} // namespace ganglion
