#include "ganglion/worker.hpp"
#include "ganglion/leaves.hpp"
#include <cmath>
#include <limits>

namespace ganglion {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto poll_interval = std::chrono::milliseconds(50);
constexpr Index steps_between_looks = 64; // at the clock: two a phase would cost the smallest networks a tenth
constexpr double long_step = 1e6;         // operations: from here on every step looks

double size_of(const Unit &unit) { return static_cast<double>(unit.rows * std::max<Index>(unit.columns, 1)); }
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

} // namespace

template <class T>
Processor<T>::Worker::Worker(Processor &processor, Training<T> &training, const Request<T> &request, Shared &shared, int thread)
    : processor_(processor), training_(training), request_(request), shared_(shared), thread_(thread),
      scratch_(processor.workspace_.threads[static_cast<std::size_t>(thread)]), epoch_{request.feed->rows(), processor.full_.rows},
      rule_(find_optimizer(training.optimizer.name)),
      look_every_(step_flops(training.architecture, processor.full_.rows) < long_step && !has_host(training) ? steps_between_looks : 1),
      far_(request.feed->bytes() > near_bytes), hosted_(has_host(training)), cursor_(training.state.cursor),
      largest_weight_(static_cast<double>(training.network->parameters.largest)), largest_moment_(training.state.largest_moment),
      largest_gradient_(training.state.largest_gradient) {
    const Kernels<T> &kernels = *processor.prepared_->kernels;
    step_ = {.kernels = &kernels,
             .net = &training.architecture,
             .parameters = &training.network->parameters,
             .moments = {training.state.moments[0].data(), training.state.moments[1].data()},
             .feed = request.feed,
             .workspace = &processor.workspace_,
             .loss = &find_loss(kernels, training.loss, training.target),
             .optimizer = &find_row(rows_of(kernels.optimizers), training.optimizer.name, "optimizer"),
             .metrics = &training.metrics,
             .order = request.shuffle ? processor.order_.data() : nullptr,
             .loss_parameter = static_cast<T>(training.loss.parameter),
             .host = training.loss.host.get()};
    step_.gradients = training.accumulate > 1 ? training.state.gradients.data() : processor.workspace_.gradients.data();
    step_.training = true;
    if (training.optimizer.clip_value > 0) step_.gradient_bound = static_cast<T>(training.optimizer.clip_value);
    if (processor.full_.own_transposed) step_.transposed = scratch_.transposed.data();
    step_.moment.seed = training.network->seed;
    scratch_.notes.weight() = 0;
    scratch_.counts = {};
    next_look_ = training.monitor ? training.monitor->next(cursor_.step) : std::numeric_limits<std::uint64_t>::max();
    if (training.monitor && !step_.gradients) step_.gradients = processor.look_.gradients();
}

template <class T> void Processor<T>::Worker::begin_step() {
    if (!repeats_) {
        const Index position = request_.part ? 0 : cursor_.position;
        if (step_.gathered || step_.copied) step_.slot = 1 - step_.slot;
        set_batch(step_, epoch_.first(position), epoch_.size(position));
        step_.loss_scale = loss_scale(*step_.loss, step_.rows, training_.architecture.outputs);
    }
    plan_ = &processor_.plan_of(step_.rows);
    watched_ = updates_ && cursor_.step == next_look_;
    if (watched_) plan_ = &processor_.look_.storing(*plan_);
    step_.moment.epoch = static_cast<std::uint32_t>(cursor_.epoch);
    const auto most_batches = static_cast<std::uint64_t>(training_.accumulate), batch = static_cast<std::uint64_t>(cursor_.batches);
    step_.moment.step = static_cast<std::uint32_t>(cursor_.step * most_batches + batch); // each batch has numbers of its own
    constants_ = rule_.constants(training_.optimizer, learning_rate(training_, cursor_.step), cursor_);
    std::transform(constants_.begin(), constants_.end(), step_.constants, [](double c) { return static_cast<T>(c); });
    step_.finite = std::isfinite(largest_weight_);
    step_.adds_gradients = cursor_.batches > 0;
    step_.updates = updates_;
    step_.team = plan_->team;
    const bool may_look = plan_->strategy != Strategy::layers && may_look_beside(step_);
    step_.looks = may_look && (step_.in_place || step_.copied) && !step_.gathered;
    step_.copies = may_look && far_ && !step_.in_place && Copying<T>::suits(step_.feed->x, step_.net->input_scale.given);
    step_.gradient_scale = 1;
    scratch_.notes.reset();
    if (step_.gathered) scratch_.notes.input() = next_input_;
    if (step_.transposed && (cursor_.batches == 0 || !transposed_)) {
        std::fill(scratch_.stale.begin(), scratch_.stale.end(), true);
        transposed_ = true;
    }
}

template <class T> bool Processor<T>::Worker::end(Verdict verdict) {
    if (thread_ == 0) {
        shared_.result.outcome = verdict.outcome;
        shared_.result.stage = verdict.stage;
        shared_.result.what = verdict.what;
    }
    return false;
}

template <class T> bool Processor<T>::Worker::may_write() {
    if (plan_->team > 1) {
        scratch_.merged.reset();
        for (int t = 0; t < plan_->team; ++t) scratch_.merged.merge_rows(processor_.workspace_.threads[static_cast<std::size_t>(t)].notes);
    }
    const Notes<T> &merged = plan_->team > 1 ? scratch_.merged : scratch_.notes;
    const Verdict verdict = judge_rows(merged);
    if (verdict.outcome != Outcome::done) return end(verdict);
    if (plan_->demands.penalty && !std::isfinite(penalty_of(processor_.workspace_.penalties)))
        return end({Outcome::diverged, merged.stages() - 1, "loss"});
    double gradient = largest_gradient(training_.architecture, merged, step_.rows);
    if (plan_->demands.penalty) gradient += largest_penalty_gradient(training_.architecture, largest_weight_);
    if (cursor_.batches > 0) gradient += largest_gradient_;
    const Largest before{gradient / static_cast<double>(cursor_.batches + 1), largest_weight_, largest_moment_};
    const Reach after = rule_.reach(training_.optimizer, constants_, before);
    // Below 2⁴⁸⁰ the sum of all squares is finite too.
    const bool summable = bounded<T>({gradient, 0, 0}, largest_weight_) && (!plan_->demands.norm || gradient < 0x1p480);
    if (!request_.careful && !(summable && bounded<T>(after, largest_weight_))) return end({Outcome::unbounded});
    largest_gradient_ = gradient;
    if (updates_) largest_moment_ = after.moment;
    return true;
}

template <class T> bool Processor<T>::Worker::scale_gradients() {
    double scale = 1 / static_cast<double>(cursor_.batches + 1);
    if (plan_->demands.norm) {
        const double norm = gradient_norm(step_) * scale, limit = training_.optimizer.clip_norm;
        if (!std::isfinite(norm)) return end({Outcome::diverged, 0, "norm of all gradients"});
        if (norm > limit) scale *= limit / norm;
    }
    step_.gradient_scale = static_cast<T>(scale);
    return true;
}

template <class T> void Processor<T>::Worker::account() {
    TrainingState<T> &state = training_.state;
    const auto rows = static_cast<double>(step_.rows);
    const Workspace<T> &space = processor_.workspace_;
    const double loss = processor_.mean_loss(*step_.loss, training_.architecture, step_.rows);
    if (training_.monitor) training_.monitor->losses.push_back(loss);
    state.loss += loss * rows;
    for (std::size_t m = 0; m < training_.metrics.size(); ++m) {
        const Metric &metric = training_.metrics[m];
        metric.row->add(metric, space.metrics[m].data(), space.capacity, step_.rows, state.metrics[m]);
    }
    state.rows += step_.rows;
}

template <class T> void Processor<T>::Worker::ask_to_stop(Index made) {
    if (!request_.stop || made % look_every_ != 0 || Clock::now() - *request_.asked < poll_interval) return;
    shared_.progress.epoch = cursor_.epoch;
    shared_.progress.position = cursor_.position + 1;
    shared_.progress.means.clear();
    append_means(training_, true, shared_.progress.means);
    shared_.stop = request_.stop(shared_.progress);
    *request_.asked = Clock::now();
}

template <class T> bool Processor<T>::Worker::make_step(Index made) {
    const bool ends_epoch = !request_.part && cursor_.position + 1 == epoch_.steps();
    updates_ = ends_epoch || (request_.part && request_.last) || cursor_.batches + 1 >= training_.accumulate;
    begin_step();
    const bool has_next = !ends_epoch && !request_.part && made + 1 < request_.steps;
    const bool timed = thread_ == 0 && made >= shared_.next_timed && !watched_ && plan_->phases.size() == processor_.full_.phases.size();
    Timesheet *sheet = request_.balances && plan_ == &processor_.full_ ? &shared_.sheets[static_cast<std::size_t>(thread_)] : nullptr;
    if (sheet && !sheet->samples(made)) sheet = nullptr;
    for (std::size_t p = 0; p < plan_->phases.size(); ++p) {
        const Phase &phase = plan_->phases[p];
        if (phase.kind == PhaseKind::gather && step_.gathered) continue;
        if (phase.kind == PhaseKind::update || phase.kind == PhaseKind::gradients) { // the first phase after the rows'
            if (!may_write()) return false;
            if (thread_ == 0) {
                account();
                ask_to_stop(made);
            }
            if (watched_) processor_.look_.keep(step_, thread_, plan_->team);
        }
        if (phase.kind == PhaseKind::apply && request_.careful)
            if (const Verdict verdict = judge_gradients(processor_.workspace_, plan_->team); verdict.outcome != Outcome::done)
                return end(verdict);
        if (phase.kind == PhaseKind::norm && !updates_) continue;
        if (phase.kind == PhaseKind::apply && updates_ && !scale_gradients()) return false;
        const auto start = timed || sheet ? Clock::now() : Clock::time_point{};
        const double done = run_units(phase, has_next && (phase.kind == PhaseKind::update || phase.kind == PhaseKind::gradients));
        if (sheet && done > 0) sheet->add(phase.work, seconds_since(start) / done);
        else if (sheet) sheet->forget_step(); // all of its part was taken over
        shared_.barrier.wait(thread_, plan_->team);
        if (timed) shared_.seconds[p] += seconds_since(start);
    }
    if (sheet) sheet->end_step();
    if (timed) {
        ++shared_.timed_steps;
        shared_.next_timed = made + steps_between_looks;
    }
    if (watched_) next_look_ = processor_.look_.finish(*training_.monitor, cursor_, step_, thread_, plan_->team, shared_.barrier);
    repeats_ = ends_epoch && step_.in_place && epoch_.steps() == 1 && !hosted_;
    if (repeats_) next_input_ = scratch_.notes.input();
    step_.copied = has_next && step_.copies;
    step_.gathered = repeats_ || (has_next && !step_.in_place && !step_.copies);
    finish_step(made, ends_epoch);
    if (shared_.stop) return end({Outcome::stopped});
    if (ends_epoch && request_.shuffle && made + 1 < request_.steps) {
        if (thread_ == 0) processor_.order_rows(training_, epoch_.rows, cursor_.epoch);
        shared_.barrier.wait(thread_, plan_->team);
    }
    return true;
}

// The next batch's rows come beside this one's updates: products copy them, or fetch the lines of a share of them, which are gathered
// after. A shuffled step of 784-50-10 takes 225 µs on one thread with shares gathered before their products, 197 after, copied 3 % less.
template <class T> double Processor<T>::Worker::run_units(const Phase &phase, bool has_next) {
    const Index begin = phase.first[at(thread_)], end = phase.first[at(thread_) + 1];
    const bool products = phase.kind == PhaseKind::update || phase.kind == PhaseKind::gradients;
    if (phase.open) ++open_phases_;
    Index next = begin;
    double done = 0;
    const auto run = [&] { // false: no unit was left
        const Index unit = phase.open ? shared_.queues.take_first(thread_, open_phases_, begin, end) : next < end ? next++ : -1;
        if (products && unit >= 0 && unit + 1 < end) append_leaf(step_, phase.units[at(unit + 1)], 0, scratch_.ahead);
        if (unit >= 0) done += run_one(phase, unit);
        else scratch_.ahead.clear();
        return unit >= 0;
    };
    const bool copies = has_next && step_.copies, gathers = has_next && !step_.in_place && !copies;
    const bool fetches = has_next && far_ && !copies && !step_.looks; // a product that looks at x asks for its next rows itself
    if (copies || gathers || fetches) {
        const Unit rows = processor_.plan_of(epoch_.size(cursor_.position + 1)).input_rows(thread_);
        const Index first = epoch_.first(cursor_.position + 1), rows_end = rows.row + rows.rows;
        next_input_ = 0;
        if (copies) {
            copy_beside(step_, 1 - step_.slot, first, rows.row, rows.rows, scratch_);
        } else {
            const Index units = std::max<Index>(1, end - begin), share = (rows.rows + units - 1) / units;
            for (Index row = rows.row; row < rows_end; row += share) {
                const Index count = std::min(share, rows_end - row);
                const std::int32_t *const order = step_.order ? step_.order + first + row : nullptr;
                if (fetches) append_lines(step_.feed->x, order, first + row, count, scratch_.ahead);
                run();
                if (gathers) keep_largest(next_input_, gather_into(step_, 1 - step_.slot, first, row, count));
            }
        }
    }
    while (run()) {
    }
    if (copies) scratch_.counts.copied_lines += scratch_.copying.finish();
    return phase.open ? take_over(phase, done) : 1;
}

template <class T> double Processor<T>::Worker::run_one(const Phase &phase, Index number) {
    const Unit &unit = phase.units[at(number)];
    run_unit(phase.kind, step_, unit, scratch_);
    scratch_.ahead.clear();
    return size_of(unit);
}

// The last units of those who lag behind, in place of waiting for them. The next thread's first, so that not all come to the same one.
template <class T> double Processor<T>::Worker::take_over(const Phase &phase, double done) {
    for (int other = 1; other < plan_->team; ++other) {
        const int late = (thread_ + other) % plan_->team;
        const auto take = [&] { return shared_.queues.take_last(late, open_phases_, phase.first[at(late)], phase.first[at(late) + 1]); };
        for (Index unit = take(); unit >= 0; unit = take(), ++scratch_.counts.taken_over) done += run_one(phase, unit);
    }
    double own = 0;
    for (Index unit = phase.first[at(thread_)]; unit < phase.first[at(thread_) + 1]; ++unit) own += size_of(phase.units[at(unit)]);
    return own > 0 ? done / own : 1;
}

template <class T> void Processor<T>::Worker::finish_step(Index made, bool ends_epoch) {
    for (Index t = 0; t < plan_->team; ++t)
        largest_weight_ = std::max(largest_weight_, static_cast<double>(processor_.workspace_.threads[at(t)].notes.weight()));
    ++cursor_.position;
    ++cursor_.batches;
    if (updates_) {
        advance(training_.optimizer, cursor_);
        ++cursor_.step;
        cursor_.batches = 0;
    }
    if (ends_epoch) {
        cursor_.position = 0;
        ++cursor_.epoch;
    }
    if (thread_ != 0) return;
    TrainingState<T> &state = training_.state;
    if (ends_epoch) {
        append_means(training_, false, shared_.result.epochs);
        clear_sums(state);
    }
    state.cursor = cursor_;
    state.largest_moment = largest_moment_;
    state.largest_gradient = largest_gradient_;
    training_.network->parameters.largest = static_cast<T>(largest_weight_);
    shared_.result.steps = made + 1;
    if (request_.steps == 1) return;
    if (made == 0) shared_.first_step_end = Clock::now();
    else if (made + 1 == request_.steps || shared_.stop)
        shared_.result.step_seconds = seconds_since(shared_.first_step_end) / static_cast<double>(made);
}

template class Processor<float>::Worker;
template class Processor<double>::Worker;

} // namespace ganglion
