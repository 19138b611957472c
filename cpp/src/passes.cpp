#include "ganglion/passes.hpp"
#include "ganglion/error.hpp"
#include "ganglion/leaves.hpp"
#include "ganglion/phases.hpp"
#include "ganglion/threads.hpp"
#include <algorithm>
#include <cmath>

namespace ganglion {
namespace {

constexpr std::size_t most_kept = 4; // workspaces: those of training, of validation, and of their short last batches

// The epoch of dropouts in loops written by hand: one that `fit` never comes to.
constexpr std::uint32_t by_hand = 0xffffffff;

constexpr const char *taken = "the network is being trained already; wait until that run is done, or train a copy";

int team_for(const Context &context, const Architecture &net, Index rows) {
    return context.threads > 0 ? context.threads : available_team(useful_team(net, rows));
}

// Calls body(number, thread) for 0 … count - 1, each by the thread that is free first.
template <class Body> void for_each(int team, Index count, Body body) {
    std::atomic<Index> next{0};
    parallel(team, [&](int thread, int) {
        for (Index i = next++; i < count; i = next++) body(i, at(thread));
    });
}

template <class T> MatrixView<T> parameter_in(const Parameter &parameter, Buffer<T> &buffer) {
    return {buffer.data() + parameter.offset, parameter.rows, parameter.columns, parameter.stride};
}

template <class T> bool finite(const Kernels<T> &kernels, const Parameter &parameter, const Buffer<T> &buffer) {
    const Index size = parameter.rows * parameter.stride;
    return buffer.size() == 0 || std::isfinite(kernels.largest({buffer.data() + parameter.offset, 1, size, size}));
}

template <class T> Scratch<T> &of_thread(Workspace<T> &space, std::size_t thread) { return space.threads[thread]; }

} // namespace

template <class T>
Passes<T>::Passes(std::shared_ptr<Network<T>> of)
    : network(std::move(of)), tiles(build_plan(network->architecture, 1, Balance(default_team()), Strategy::gradients).phases.back().units),
      sums(network->architecture.parameter_elements), fresh(network->architecture.parameter_elements),
      states(network->architecture.parameters.size(), GradientState::none) {}

template <class T> void Passes<T>::zero(const std::vector<std::size_t> &parameters) {
    const Claim claim(network->busy);
    if (!claim) throw std::runtime_error(taken);
    for (const std::size_t p : parameters) states.at(p) = GradientState::none;
}

template <class T> void Passes<T>::add(const Kernels<T> &kernels, Buffer<T> &gradients) {
    const bool first = std::all_of(states.begin(), states.end(), [](GradientState state) { return state == GradientState::none; });
    if (first) std::swap(sums, gradients);
    for (std::size_t p = 0; p < states.size(); ++p) {
        const Parameter &parameter = network->architecture.parameters[p];
        const Index size = parameter.rows * parameter.stride;
        if (states[p] != GradientState::none) kernels.add(sums.data() + parameter.offset, gradients.data() + parameter.offset, size);
        else if (!first) std::copy_n(gradients.data() + parameter.offset, size, sums.data() + parameter.offset);
        states[p] = GradientState::summed;
    }
}

template <class T> Workspace<T> Passes<T>::take(Index rows, int team) {
    {
        const std::lock_guard lock(busy_);
        auto best = kept_.end();
        for (auto space = kept_.begin(); space != kept_.end(); ++space)
            if (space->capacity >= rows && static_cast<int>(space->threads.size()) >= team &&
                (best == kept_.end() || space->capacity < best->capacity))
                best = space;
        if (best != kept_.end()) {
            Workspace<T> space = std::move(*best);
            kept_.erase(best);
            return space;
        }
    }
    return make_workspace<T>(network->architecture, rows, team, {}, false);
}

template <class T> void Passes<T>::give_back(Workspace<T> space) {
    const std::lock_guard lock(busy_);
    if (kept_.size() == most_kept) kept_.erase(kept_.begin());
    kept_.push_back(std::move(space));
}

template <class T>
LossGradient<T> loss_gradient(const Context &context, const LossDescription &description, TargetKind target, MatrixView<const T> y,
                              const Feed<T> &targets) {
    const DefaultArithmetic mode;
    const LossKernels<T> &loss = find_loss(kernels_of<T>(*context.kernel_set), description.name, target);
    const Index stride = row_stride(y.columns);
    LossGradient<T> result{0, Buffer<T>(checked_product(y.rows, stride))};
    Buffer<T> losses(y.rows);
    T largest = 0;
    loss.gradient(y, {targets.labels.data(), targets.values.data(), targets.stride, nullptr, 0},
                  {result.d.data(), y.rows, y.columns, stride}, loss_scale(loss, y.rows, y.columns), static_cast<T>(description.parameter),
                  losses.data(), &largest);
    result.loss = sum_rows(losses.data(), y.rows) / static_cast<double>(loss.per_element ? y.rows * y.columns : y.rows);
    return result;
}

template <class T>
Pass<T>::Pass(const Context &context, std::shared_ptr<Passes<T>> passes, const Source &x, bool training)
    : passes_(std::move(passes)), version_(passes_->network->parameters.version),
      rows_(std::visit([](const auto &view) { return view.rows; }, x)), team_(team_for(context, passes_->network->architecture, rows_)),
      training_(training), moment_{passes_->network->seed, by_hand, training ? passes_->trained++ : 0},
      space_(passes_->take(rows_, team_)) {
    const DefaultArithmetic mode;
    Feed<T> feed;
    feed.x = x;
    Step<T> whole = step(kernels_of<T>(*context.kernel_set));
    whole.feed = &feed;
    for (Scratch<T> &scratch : space_.threads) scratch.notes.reset();
    const Architecture &net = *whole.net;
    if (!training) take_moving_variances(whole);
    const Index count = static_cast<Index>(net.stages.size());
    const auto waits = [&](Index s) { return training && over_batch(net.stages[at(s)]); };
    if (waits(0)) for_panels([&](Index row, Index rows, Scratch<T> &scratch) { gather_rows(whole, row, rows, scratch); });
    for (Index s = 0, end; s < count; s = end) {
        end = training ? part_end(net, s) : count;
        if (waits(s)) for_columns(s, [&](const Unit &unit, Scratch<T> &scratch) { statistics_tile(whole, unit, scratch); });
        for_panels([&](Index row, Index rows, Scratch<T> &scratch) {
            if (s == 0 && !waits(0)) gather_rows(whole, row, rows, scratch);
            forward_part(whole, s, end, row, rows, scratch);
        });
    }
    if (!std::all_of(space_.threads.begin(), space_.threads.end(),
                     [](const auto &scratch) { return std::isfinite(scratch.notes.input()); })) {
        passes_->give_back(std::move(space_));
        throw_non_finite<T>(x, net.input_scale.layer);
    }
    if (training) move_all_statistics(whole);
}

template <class T> void Pass<T>::move_all_statistics(const Step<T> &whole) {
    const std::vector<Stage> &stages = whole.net->stages;
    const auto finite = [&](const Scratch<T> &scratch) {
        for (std::size_t s = 0; s < stages.size(); ++s)
            if (!std::isfinite(scratch.notes.output(s))) return false;
        return true;
    };
    // Where an output is not finite, backward() says so.
    if (std::none_of(stages.begin(), stages.end(), over_batch) || !std::all_of(space_.threads.begin(), space_.threads.end(), finite))
        return;
    const Claim claim(passes_->network->busy);
    if (!claim) throw std::runtime_error(taken);
    Scratch<T> &scratch = space_.threads[0];
    scratch.notes.weight() = whole.parameters->largest;
    for (std::size_t s = 0; s < stages.size(); ++s)
        if (over_batch(stages[s])) move_statistics(whole, {static_cast<Index>(s), 0, 1, 0, stages[s].outputs}, scratch);
    whole.parameters->largest = scratch.notes.weight();
}

template <class T> Pass<T>::~Pass() { passes_->give_back(std::move(space_)); }

template <class T> MatrixView<const T> Pass<T>::output() const {
    const Index outputs = passes_->network->architecture.outputs;
    return {space_.h.back().data(), rows_, outputs, row_stride(outputs)};
}

template <class T> Step<T> Pass<T>::step(const Kernels<T> &kernels) {
    static const std::vector<Metric> none;
    Step<T> step{};
    step.kernels = &kernels;
    step.net = &passes_->network->architecture;
    step.parameters = &passes_->network->parameters;
    step.workspace = &space_;
    step.metrics = &none;
    step.rows = rows_;
    step.finite = std::isfinite(step.parameters->largest);
    step.training = training_;
    step.moment = moment_;
    step.x = read(space_.x[0], 0, rows_, 0, step.net->inputs, step.net->inputs); // a copy, whoever changes the original
    return step;
}

template <class T> template <class Body> void Pass<T>::for_panels(Body body) {
    const Index most = std::min(leaf_rows, (rows_ + team_ - 1) / team_);
    for_each(team_, (rows_ + most - 1) / most, [&](Index panel, std::size_t thread) {
        const Index row = panel * most;
        body(row, std::min(most, rows_ - row), of_thread(space_, thread));
    });
}

template <class T> template <class Body> void Pass<T>::for_columns(Index stage, Body body) {
    const Index columns = passes_->network->architecture.stages[at(stage)].outputs;
    for_each(team_, (columns + kernel_tile_side - 1) / kernel_tile_side, [&](Index tile, std::size_t thread) {
        const Index column = tile * kernel_tile_side;
        body(Unit{stage, 0, rows_, column, std::min(kernel_tile_side, columns - column)}, of_thread(space_, thread));
    });
}

template <class T> void Pass<T>::judge(const Notes<T> &notes, double loss) const {
    const std::vector<Stage> &stages = passes_->network->architecture.stages;
    const auto check = [&](std::size_t stage, double value, const char *what) {
        if (!std::isfinite(value)) throw_diverged<T>(stages[stage].layer, what, passes_->updates);
    };
    for (std::size_t s = 0; s < stages.size(); ++s) check(s, static_cast<double>(notes.output(s)), "output");
    check(stages.size() - 1, loss, "loss");
    for (std::size_t s = stages.size(); s-- > 0;) check(s, static_cast<double>(notes.delta(s)), "gradient");
}

template <class T> void Pass<T>::backward(const Context &context, const LossGradient<T> &loss, T factor) {
    const DefaultArithmetic mode;
    Network<T> &network = *passes_->network;
    const Architecture &net = network.architecture;
    require_derivatives(net);
    const Claim claim(network.busy);
    if (!claim) throw std::runtime_error(taken);
    if (version_ != network.parameters.version)
        throw std::runtime_error("this forward pass is older than the weights, which have changed since; call model(x) again and take the "
                                 "loss of its output");
    for (const GradientState state : passes_->states)
        if (state == GradientState::applied)
            throw std::runtime_error("backward() after step() without zero_grad(): the gradients that the step used are still there and "
                                     "these would be added to them; call optimizer.zero_grad() before loss.backward()");
    const Kernels<T> &kernels = kernels_of<T>(*context.kernel_set);
    refresh_transposed(kernels, net, network.parameters);
    const Index stride = row_stride(net.outputs), size = rows_ * stride;
    if (factor == T(1)) std::copy_n(loss.d.data(), size, space_.d.back().data());
    else std::transform(loss.d.data(), loss.d.data() + size, space_.d.back().data(), [factor](T d) { return d * factor; });
    Notes<T> &merged = space_.threads[0].merged;
    merged.reset();
    for (Scratch<T> &scratch : space_.threads)
        for (std::size_t s = 0; s < net.stages.size(); ++s) scratch.notes.delta(s) = 0;
    Step<T> whole = step(kernels);
    whole.gradients = passes_->fresh.data();
    for_panels([&](Index row, Index rows, Scratch<T> &scratch) { backward_rows(whole, row, rows, scratch); });
    for (Index s = static_cast<Index>(net.stages.size()); s-- > 0;) {
        if (!over_batch(net.stages[at(s)])) continue;
        for_columns(s, [&](const Unit &unit, Scratch<T> &scratch) { sums_tile(whole, unit, scratch); });
        for_panels([&](Index row, Index rows, Scratch<T> &scratch) { back_rows(whole, {s, row, rows, 0, 0}, scratch); });
    }
    for (const Scratch<T> &scratch : space_.threads) merged.merge_rows(scratch.notes);
    judge(merged, loss.loss);
    for_each(team_, static_cast<Index>(passes_->tiles.size()), [&](Index tile, std::size_t thread) {
        run_unit(PhaseKind::gradients, whole, passes_->tiles[at(tile)], of_thread(space_, thread));
    });
    passes_->add(kernels, passes_->fresh);
}

template <class T>
Updates<T>::Updates(std::shared_ptr<Passes<T>> passes, std::vector<UpdateGroup<T>> groups)
    : passes_(std::move(passes)), groups_(std::move(groups)) {
    for (std::size_t g = 0; g < groups_.size(); ++g) set_optimizer(g, groups_[g].optimizer);
}

template <class T> void Updates<T>::set_optimizer(std::size_t group, OptimizerDescription optimizer) {
    const auto &row = find_row(rows_of(kernels_of<T>(best_kernel_set()).optimizers), optimizer.name, "optimizer");
    check_epsilon<T>(optimizer);
    for (int m = 0; m < row.moments; ++m)
        if (moments_[m].size() == 0) moments_[m] = Buffer<T>(passes_->network->architecture.parameter_elements);
    UpdateGroup<T> &changed = groups_.at(group);
    if (row.moments > 0 && changed.cursor.step == 0) {
        const auto start = static_cast<T>(optimizer.initial_accumulator);
        for (const std::size_t p : changed.parameters) {
            const Parameter &parameter = passes_->network->architecture.parameters[p];
            std::fill_n(moments_[0].data() + parameter.offset, parameter.rows * parameter.stride, start);
        }
        changed.largest_moment = static_cast<double>(start);
    }
    changed.optimizer = std::move(optimizer);
}

// Are gradients, moments and weights sure to stay finite? Raises the group's bound of its moments.
template <class T>
bool Updates<T>::bounded(const Kernels<T> &kernels, UpdateGroup<T> &group, const Constants &constants) const {
    const Architecture &net = passes_->network->architecture;
    const auto largest_weight = static_cast<double>(passes_->network->parameters.largest);
    double largest = 0;
    for (const std::size_t p : group.parameters) {
        if (passes_->states[p] == GradientState::none) continue;
        const MatrixView<T> sums = parameter_in(net.parameters[p], passes_->sums);
        const auto found = static_cast<double>(kernels.largest({sums.data, sums.rows, sums.columns, sums.stride}));
        if (!std::isfinite(found)) throw_diverged<T>(net.parameters[p].layer, "gradient", group.cursor.step);
        largest = std::max(largest, found);
    }
    const Largest before{largest, largest_weight, group.largest_moment};
    const Reach after = find_optimizer(group.optimizer.name).reach(group.optimizer, constants, before);
    group.largest_moment = after.moment;
    return ganglion::bounded<T>(after, largest_weight);
}

template <class T> void Updates<T>::update(const Kernels<T> &kernels, const UpdateGroup<T> &group, const Constants &constants) {
    const auto &row = find_row(rows_of(kernels.optimizers), group.optimizer.name, "optimizer");
    Network<T> &network = *passes_->network;
    T rounded[most_constants];
    std::transform(constants.begin(), constants.end(), rounded, [](double c) { return static_cast<T>(c); });
    for (const std::size_t p : group.parameters) {
        if (passes_->states[p] == GradientState::none) continue;
        const Parameter &parameter = network.architecture.parameters[p];
        const MatrixView<T> sums = parameter_in(parameter, passes_->sums);
        MatrixView<T> w = parameter_in(parameter, network.parameters.values);
        w.columns = round_up(w.columns, padding); // whole vectors
        const auto moment = [&](int m) { return m < row.moments ? moments_[m].data() + parameter.offset : nullptr; };
        const Moments<T> moments{moment(0), moment(1), parameter.rows, round_up(parameter.columns, padding), 0, 0};
        const T largest = row.update(w, {sums.data, w.rows, w.columns, sums.stride}, moments, rounded);
        if (largest > network.parameters.largest || largest != largest) network.parameters.largest = largest;
        passes_->states[p] = GradientState::applied;
    }
}

template <class T> void Updates<T>::check_updated(const Kernels<T> &kernels) {
    for (const UpdateGroup<T> &group : groups_)
        for (const std::size_t p : group.parameters) {
            const Parameter &parameter = passes_->network->architecture.parameters[p];
            if (!finite(kernels, parameter, passes_->network->parameters.values) || !finite(kernels, parameter, moments_[0]) ||
                !finite(kernels, parameter, moments_[1]))
                throw_diverged<T>(parameter.layer, "update", group.cursor.step);
        }
}

template <class T> void Updates<T>::step(const Context &context, const std::vector<double> &rates) {
    const DefaultArithmetic mode;
    Parameters<T> &parameters = passes_->network->parameters;
    const Claim claim(passes_->network->busy);
    if (!claim) throw std::runtime_error(taken);
    if (rates.size() != groups_.size()) throw std::invalid_argument("a step needs a learning rate for each group");
    const auto without = [&](std::size_t p) { return passes_->states[p] == GradientState::none; };
    if (std::all_of(groups_.begin(), groups_.end(),
                    [&](const UpdateGroup<T> &group) { return std::all_of(group.parameters.begin(), group.parameters.end(), without); }))
        throw std::runtime_error("step() without gradients: call loss.backward() after zero_grad() and before step()");
    const Kernels<T> &kernels = kernels_of<T>(*context.kernel_set);
    std::vector<double> largest_moments;
    for (const UpdateGroup<T> &group : groups_) largest_moments.push_back(group.largest_moment);
    std::vector<Constants> all;
    bool sure = true;
    const auto undo_bounds = [&] {
        for (std::size_t g = 0; g < groups_.size(); ++g) groups_[g].largest_moment = largest_moments[g];
    };
    try {
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            const UpdateGroup<T> &group = groups_[g];
            all.push_back(find_optimizer(group.optimizer.name).constants(group.optimizer, rates[g], group.cursor));
            sure = bounded(kernels, groups_[g], all[g]) && sure;
        }
    } catch (...) {
        undo_bounds();
        throw;
    }
    if (sure) {
        for (std::size_t g = 0; g < groups_.size(); ++g) update(kernels, groups_[g], all[g]);
    } else { // made on the side, tested whole and only then kept
        const Buffer<T> values = parameters.values, moments[2] = {moments_[0], moments_[1]};
        const std::vector<GradientState> states = passes_->states;
        const T largest = parameters.largest;
        for (std::size_t g = 0; g < groups_.size(); ++g) update(kernels, groups_[g], all[g]);
        try {
            check_updated(kernels);
        } catch (...) {
            parameters.values = values;
            parameters.largest = largest;
            for (int m = 0; m < 2; ++m) moments_[m] = moments[m];
            passes_->states = states;
            undo_bounds();
            throw;
        }
        for (UpdateGroup<T> &group : groups_)
            group.largest_moment =
                moments_[0].size() == 0
                    ? 0
                    : static_cast<double>(kernels.largest({moments_[0].data(), 1, moments_[0].size(), moments_[0].size()}));
    }
    ++parameters.version;
    ++passes_->updates;
    for (UpdateGroup<T> &group : groups_) {
        advance(group.optimizer, group.cursor);
        ++group.cursor.step;
    }
}

template class Passes<float>;
template class Passes<double>;
template LossGradient<float> loss_gradient(const Context &, const LossDescription &, TargetKind, MatrixView<const float>,
                                           const Feed<float> &);
template LossGradient<double> loss_gradient(const Context &, const LossDescription &, TargetKind, MatrixView<const double>,
                                            const Feed<double> &);
template class Pass<float>;
template class Pass<double>;
template class Updates<float>;
template class Updates<double>;

} // namespace ganglion
