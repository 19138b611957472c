#include "ganglion/side_step.hpp"
#include "ganglion/error.hpp"
#include <cmath>

namespace ganglion {
namespace {

template <class T> bool finite(const Kernels<T> &kernels, const Buffer<T> &buffer, const Parameter &parameter) {
    const Index size = parameter.rows * parameter.stride;
    return buffer.size() == 0 || std::isfinite(kernels.largest({buffer.data() + parameter.offset, 1, size, size}));
}

} // namespace

template <class T> Result<T> SideStep<T>::careful(Request<T> request, int team) {
    Parameters<T> &parameters = training_.network->parameters;
    const TrainingState<T> state = training_.state;
    before_ = parameters.values;
    const T largest = parameters.largest;
    const std::size_t looks = training_.monitor ? training_.monitor->steps.size() : 0;
    processor_.prepare(kernels_, training_, request.batch_size, request.feed->rows(), team, team, Strategy::stored);
    request.steps = 1;
    request.careful = true;
    processor_.exchange_order(main_);
    const Result<T> result = processor_.run_with({team, Strategy::stored}, training_, request);
    processor_.exchange_order(main_);
    if (result.steps == 0) {
        training_.state = state; // its sums know of the step
        return result;
    }
    const auto largest_of = [&](const Buffer<T> &buffer, double &bound) {
        if (buffer.size() > 0) bound = static_cast<double>(kernels_.largest({buffer.data(), 1, buffer.size(), buffer.size()}));
    };
    largest_of(training_.state.moments[0], training_.state.largest_moment);
    largest_of(training_.state.gradients, training_.state.largest_gradient);
    for (const Parameter &parameter : training_.architecture.parameters) {
        const auto &moments = training_.state.moments;
        if (finite(kernels_, parameters.values, parameter) && finite(kernels_, moments[0], parameter) &&
            finite(kernels_, moments[1], parameter))
            continue;
        parameters.values = before_;
        parameters.largest = largest;
        ++parameters.version;
        training_.state = state;
        if (training_.monitor) training_.monitor->forget_from(looks);
        throw_diverged<T>(parameter.layer, "update", state.cursor.step);
    }
    return result;
}

template class SideStep<float>;
template class SideStep<double>;

} // namespace ganglion
