#include "ganglion/verdict.hpp"
#include "ganglion/normalization.hpp"
#include <cmath>

namespace ganglion {

template <class T> Verdict judge_rows(const Notes<T> &notes) {
    if (!std::isfinite(notes.input())) return {Outcome::bad_input, 0, "input"};
    for (std::size_t s = 0; s < notes.stages(); ++s)
        if (!std::isfinite(notes.output(s))) return {Outcome::diverged, s, "output"};
    if (!std::isfinite(notes.loss())) return {Outcome::diverged, notes.stages() - 1, "loss"};
    for (std::size_t s = notes.stages(); s-- > 0;)
        if (!std::isfinite(notes.delta(s))) return {Outcome::diverged, s, "gradient"};
    return {};
}

template <class T> Verdict judge_gradients(const Workspace<T> &space, int team) {
    for (std::size_t s = 0; s < space.h.size(); ++s)
        for (int t = 0; t < team; ++t)
            if (!std::isfinite(space.threads[at(t)].notes.gradient(s))) return {Outcome::diverged, s, "gradient"};
    return {};
}

// B · max(1, |h|) · |dz|, x̂ being in place of h where a stage normalizes. Of n numbers none is farther than √n standard deviations
// from their mean; twice that leaves room for roundings.
template <class T> double largest_gradient(const Architecture &net, const Notes<T> &notes, Index rows) {
    double largest = 0, input = static_cast<double>(notes.input());
    for (std::size_t s = 0; s < notes.stages(); ++s) {
        const Stage &stage = net.stages[s];
        if (normalizes(stage)) input = 2 * std::sqrt(static_cast<double>(std::max(rows, stage.outputs)));
        largest = std::max(largest, static_cast<double>(rows) * std::max(1.0, input) * static_cast<double>(notes.delta(s)));
        input = static_cast<double>(notes.output(s));
    }
    return largest;
}

template Verdict judge_rows(const Notes<float> &);
template Verdict judge_rows(const Notes<double> &);
template Verdict judge_gradients(const Workspace<float> &, int);
template Verdict judge_gradients(const Workspace<double> &, int);
template double largest_gradient(const Architecture &, const Notes<float> &, Index);
template double largest_gradient(const Architecture &, const Notes<double> &, Index);

} // namespace ganglion
