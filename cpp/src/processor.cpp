#include "ganglion/device.hpp"
#include "ganglion/leaves.hpp"
#include "ganglion/worker.hpp"

namespace ganglion {

template <class T> Result<T> Processor<T>::run(Training<T> &training, const Request<T> &request) {
    const Index rows = request.feed->rows();
    if (!full_.own_transposed) refresh_transposed(*prepared_->kernels, training.architecture, training.network->parameters);
    if (request.shuffle) order_rows(training, rows, training.state.cursor.epoch);
    Shared shared(full_.team);
    if (training.monitor) look_.prepare(*prepared_->kernels, training.architecture, full_, last_);
    else if (look_.gradients()) look_ = {}; // two copies of the parameters' memory
    const Epoch epoch{rows, full_.rows};
    if (!request.part && training.state.cursor.position >= epoch.steps())
        throw std::invalid_argument("the epoch under way is past step " + std::to_string(epoch.steps()) +
                                    ", where an epoch of this data ends; begin a new epoch first");
    shared.result.epochs.reserve(static_cast<std::size_t>(request.steps / epoch.steps() + 1) * (1 + training.metrics.size()));
    shared.seconds.assign(full_.phases.size(), 0.0);
    shared.next_timed = request.steps > 1; // the first step wakes the team
    if (request.balances) {
        shared.sheets.reserve(static_cast<std::size_t>(full_.team));
        for (int t = 0; t < full_.team; ++t) shared.sheets.emplace_back(request.steps);
    }
    const int team = parallel(full_.team, [&](int thread, int ran) {
        if (ran == full_.team) Worker(*this, training, request, shared, thread).run();
    });
    Result<T> &result = shared.result;
    result.team = team;
    for (int t = 0; t < team; ++t) result.counts += workspace_.threads[at(t)].counts;
    if (team != full_.team) result.outcome = Outcome::other_team;
    else if (request.balances) balance_of({team, full_.strategy}).follow(shared.sheets, full_.allotted);
    for (const double seconds : shared.seconds)
        if (shared.timed_steps > 0) result.seconds.push_back(seconds / static_cast<double>(shared.timed_steps));
    if (result.step_seconds > 0) step_seconds_ = result.step_seconds;
    Parameters<T> &parameters = training.network->parameters;
    const bool current = !full_.own_transposed && parameters.transposed_version == parameters.version;
    parameters.version += static_cast<std::uint64_t>(result.steps);
    if (current) parameters.transposed_version = parameters.version; // the tiles wrote both
    return std::move(result);
}

template <class T> double Processor<T>::mean_loss(const LossKernels<T> &loss, const Architecture &net, Index rows) const {
    const Index count = loss.per_element ? rows * net.outputs : rows;
    return sum_rows(workspace_.losses.data(), rows) / static_cast<double>(count) + penalty_of(workspace_.penalties);
}

template class Processor<float>;
template class Processor<double>;

} // namespace ganglion
