#include "ganglion/monitor.hpp"
#include "ganglion/leaves.hpp"
#include <cmath>
#include <type_traits>

namespace ganglion {
namespace {

constexpr Index enough_rows = 16;       // to call a unit dead that is 0 for all of them
constexpr Index cached_elements = 2048; // of a parameter, in L1 while several things are done to them
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// Of n rows, or groups of columns, those of one thread.
struct Range {
    Index first, end;
    Index size() const { return end - first; }
};
Range range_of(Index n, int thread, int team) { return {n * thread / team, n * (thread + 1) / team}; }

// Calls body(parameter, rows of this thread, number of the first of them among the rows of all parameters).
template <class Body> void for_rows(const Architecture &net, int thread, int team, Body body) {
    Index rows = 0;
    for (const Parameter &parameter : net.parameters) {
        const Range own = range_of(parameter.rows, thread, team);
        if (own.size() > 0) body(parameter, own, rows + own.first);
        rows += parameter.rows;
    }
}

// What a plan that stores gradients is asked for in place of this one's demands.
Demands storing_demands(const Plan &plan) {
    Demands demands = plan.demands;
    demands.sums = true;
    return demands;
}

bool replaces(const Plan &storing, const Plan &plan) {
    return storing.rows == plan.rows && storing.team == plan.team && storing.strategy == plan.strategy && storing.balance == plan.balance &&
           storing.demands == storing_demands(plan);
}

} // namespace

template <class T> typename Look<T>::Middle Look<T>::middle_of(std::string_view activation) {
    if (activation == "sigmoid") return {true, static_cast<T>(0.01), static_cast<T>(0.99)};
    if (activation == "tanh") return {true, static_cast<T>(-0.98), static_cast<T>(0.98)};
    return {false, 0, 0};
}

// In groups of the columns that a row is padded to, which vectors of any size divide.
template <class T> typename Look<T>::Counts Look<T>::count(const MatrixView<const T> &h, const Middle &middle) {
    using Number = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>; // as wide as what is compared
    Counts counts;
    for (Index column = 0; column < h.columns; column += padding) {
        Number zeros[padding] = {}, ends[padding] = {};
        const T *from = h.data + column;
        for (Index r = 0; r < h.rows; ++r, from += h.stride)
            for (Index l = 0; l < padding; ++l) zeros[l] += from[l] == 0;
        from = h.data + column;
        for (Index r = 0; middle.bounded && r < h.rows; ++r, from += h.stride)
            for (Index l = 0; l < padding; ++l) ends[l] += (from[l] <= middle.low) | (from[l] >= middle.high);
        for (Index l = 0; l < std::min(padding, h.columns - column); ++l) {
            counts.zeros += static_cast<Index>(zeros[l]);
            counts.saturated += static_cast<Index>(ends[l]);
            counts.dead += static_cast<Index>(zeros[l]) == h.rows;
        }
    }
    return counts;
}

template <class T>
void Look<T>::prepare(const Kernels<T> &kernels, const Architecture &net, const Plan &full, const Plan &last) {
    if (replaces(full_, full) && replaces(last_, last)) return;
    full_ = build_plan(net, full.rows, full.balance, full.strategy, storing_demands(full));
    last_ = build_plan(net, last.rows, last.balance, last.strategy, storing_demands(last));
    counts_.resize(std::max(counts_.size(), static_cast<std::size_t>(full.team) * net.stages.size()));
    if (!middles_.empty()) return;
    for (const Stage &stage : net.stages) middles_.push_back(middle_of(kernels.activations[stage.activation].name));
    for (Buffer<T> *values : {&stored_, &before_}) *values = Buffer<T>(net.parameter_elements);
    for (Buffer<double> *rows : {&gradients_, &weights_, &changes_})
        *rows = Buffer<double>(parameter_rows(net, static_cast<Index>(net.parameters.size())));
}

template <class T> void Look<T>::keep(const Step<T> &step, int thread, int team) {
    const T *values = step.parameters->values.data();
    for_rows(*step.net, thread, team, [&](const Parameter &parameter, Range own, Index) {
        const Index first = parameter.offset + own.first * parameter.stride;
        std::copy_n(values + first, own.size() * parameter.stride, before_.data() + first);
    });
}

template <class T> void Look<T>::measure(const Step<T> &step, int thread, int team) {
    const T *values = step.parameters->values.data();
    for_rows(*step.net, thread, team, [&](const Parameter &parameter, Range own, Index row) {
        const Index columns = round_up(parameter.columns, padding); // the padding is zero, and whole groups are quicker
        const Index most = std::max<Index>(1, cached_elements / parameter.stride);
        for (Index done = 0; done < own.size(); done += most) {
            const Index rows = std::min(most, own.size() - done), first = parameter.offset + (own.first + done) * parameter.stride;
            const auto squares = [&](const T *of, Buffer<double> &sums) {
                step.kernels->row_squares({of + first, rows, columns, parameter.stride}, sums.data() + row + done);
            };
            squares(step.gradients, gradients_);
            squares(before_.data(), weights_);
            T *before = before_.data() + first;
            const T *after = values + first;
            for (Index i = 0; i < rows * parameter.stride; ++i) before[i] = after[i] - before[i];
            squares(before_.data(), changes_);
        }
    });
    const std::size_t stages = step.net->stages.size();
    for (std::size_t s = 0; s < stages; ++s) {
        const Index outputs = step.net->stages[s].outputs;
        const Range own = range_of((outputs + padding - 1) / padding, thread, team);
        const Index first = own.first * padding, end = std::min(outputs, own.end * padding);
        counts_[at(thread) * stages + s] =
            first < end ? count(read(step.workspace->h[s], 0, step.rows, first, end - first, outputs), middles_[s]) : Counts{};
    }
}

template <class T>
std::uint64_t Look<T>::finish(Monitor &monitor, const Cursor &cursor, const Step<T> &step, int thread, int team, Barrier &barrier) {
    measure(step, thread, team);
    barrier.wait(thread, team); // the others go on to the next step, which writes nothing that is read here
    if (thread == 0) record(monitor, cursor, step, team);
    return cursor.step + static_cast<std::uint64_t>(monitor.every);
}

template <class T> void Look<T>::record(Monitor &monitor, const Cursor &cursor, const Step<T> &step, int team) const {
    const Architecture &net = *step.net;
    const std::size_t stages = net.stages.size();
    monitor.steps.push_back(cursor.step);
    for (std::size_t s = 0; s < stages; ++s) {
        const Stage &stage = net.stages[s];
        double gradient = 0, weight = 0, change = 0;
        for (const Index p : {weight_of(stage), stage.bias}) {
            if (p < 0) continue;
            const Index first = parameter_rows(net, p), rows = net.parameters[at(p)].rows;
            gradient += sum_rows(gradients_.data() + first, rows);
            weight += sum_rows(weights_.data() + first, rows);
            change += sum_rows(changes_.data() + first, rows);
        }
        Counts counts;
        for (std::size_t t = 0; t < at(team); ++t) {
            const Counts &own = counts_[t * stages + s];
            counts.zeros += own.zeros;
            counts.saturated += own.saturated;
            counts.dead += own.dead;
        }
        const bool trained = weight_of(stage) >= 0 || stage.bias >= 0;
        const double norms[] = {std::sqrt(gradient) / static_cast<double>(cursor.batches + 1), std::sqrt(weight),
                                std::sqrt(change) / std::sqrt(weight)};
        for (const double norm : norms) monitor.values.push_back(trained ? norm : unknown);
        const auto units = static_cast<double>(stage.outputs), all = static_cast<double>(step.rows * stage.outputs);
        const double dead = step.rows < enough_rows ? unknown : static_cast<double>(counts.dead) / units;
        monitor.values.insert(monitor.values.end(),
                              {static_cast<double>(counts.zeros) / all, static_cast<double>(counts.saturated) / all, dead});
    }
}

template class Look<float>;
template class Look<double>;

} // namespace ganglion
