// What a processor has ready before it runs: memory, the trial of teams, their plans, and the order of the rows.
#include "ganglion/device.hpp"
#include "ganglion/random.hpp"

namespace ganglion {

template <class T>
void Processor<T>::prepare(const Kernels<T> &kernels, const Training<T> &training, Index batch_size, Index rows, int least, int most,
                           std::optional<Strategy> forced) {
    const Index full = std::min(batch_size, rows), last = rows % full == 0 ? full : rows % full;
    const Prepared wanted{&kernels, full, last, least, most, forced, demands_of(training)};
    if (prepared_ == wanted) return;
    if (prepared_ && *prepared_ == Prepared{&kernels, full, prepared_->last, least, most, forced, wanted.demands}) { // the same memory
        prepared_->last = last;
        full_.team = 0;
        return;
    }
    prepared_.reset();
    balances_.clear();
    const bool stored = forced == Strategy::stored || forced == Strategy::gradients || wanted.demands.stores_gradients();
    workspace_ = make_workspace<T>(training.architecture, full, most, training.metrics, stored);
    trial_.emplace(least, most, full, forced);
    full_.team = 0;
    prepared_ = wanted;
}

template <class T> void Processor<T>::use_team(const Training<T> &training, Team team) {
    const Balance &balance = balance_of(team);
    if (full_.team == team.threads && full_.strategy == team.strategy && full_.balance == balance) return;
    full_ = build_plan(training.architecture, prepared_->full, balance, team.strategy, prepared_->demands);
    last_ = build_plan(training.architecture, prepared_->last, balance, team.strategy, prepared_->demands);
    if (full_.own_transposed)
        for (Scratch<T> &scratch : workspace_.threads)
            if (scratch.transposed.size() == 0) {
                scratch.transposed = Buffer<T>(training.architecture.transposed_elements);
                scratch.stale.assign(training.architecture.stages.size(), true);
            }
}

template <class T> TeamTrial &Processor<T>::trial() {
    if (trial_->stale()) {
        const TeamTrial before = *trial_;
        trial_.emplace(prepared_->least, prepared_->most, prepared_->full, prepared_->forced, &before);
    }
    return *trial_;
}

template <class T> void Processor<T>::use_balance(Team team, Balance balance) { balance_of(team) = std::move(balance); }

template <class T> void Processor<T>::end_given_balances() {
    std::erase_if(balances_, [](const auto &entry) { return entry.second.given(); });
}

template <class T> Balance &Processor<T>::balance_of(Team team) {
    for (auto &[of, balance] : balances_)
        if (of == team) return balance;
    return balances_.emplace_back(team, Balance(team.threads)).second;
}

template <class T> void Processor<T>::order_rows(const Training<T> &training, Index rows, Index epoch) {
    if (ordered_ == epoch && static_cast<Index>(order_.size()) == rows) return;
    order_.resize(static_cast<std::size_t>(rows));
    shuffle({training.network->seed, StreamKind::shuffle, 0, static_cast<std::uint32_t>(epoch)}, order_);
    ordered_ = epoch;
}

template <class T> Result<T> Processor<T>::run_with(Team team, Training<T> &training, const Request<T> &request) {
    while (true) {
        use_team(training, team);
        Result<T> result = run(training, request);
        if (result.outcome != Outcome::other_team) return result;
        team.threads = result.team;
    }
}

template void Processor<float>::prepare(const Kernels<float> &, const Training<float> &, Index, Index, int, int, std::optional<Strategy>);
template void Processor<float>::use_team(const Training<float> &, Team);
template TeamTrial &Processor<float>::trial();
template Balance &Processor<float>::balance_of(Team);
template void Processor<float>::use_balance(Team, Balance);
template void Processor<float>::end_given_balances();
template void Processor<float>::order_rows(const Training<float> &, Index, Index);
template Result<float> Processor<float>::run_with(Team, Training<float> &, const Request<float> &);
template void Processor<double>::prepare(const Kernels<double> &, const Training<double> &, Index, Index, int, int,
                                         std::optional<Strategy>);
template void Processor<double>::use_team(const Training<double> &, Team);
template TeamTrial &Processor<double>::trial();
template Balance &Processor<double>::balance_of(Team);
template void Processor<double>::use_balance(Team, Balance);
template void Processor<double>::end_given_balances();
template void Processor<double>::order_rows(const Training<double> &, Index, Index);
template Result<double> Processor<double>::run_with(Team, Training<double> &, const Request<double> &);

} // namespace ganglion
