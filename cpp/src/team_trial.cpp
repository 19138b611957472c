#include "ganglion/team_trial.hpp"
#include <algorithm>
#include <cmath>
#include <limits>

namespace ganglion {
namespace {

constexpr std::size_t rounds = 3;
constexpr double window_seconds = 300e-6; // of timed steps in one round
constexpr Index most_window_steps = 128;
// A step so long is timed once, without another before it: a trial is 4 steps of four layers of 1024 on 1024 rows in place of 14.
constexpr double sure_step = 20e-3;
constexpr double hopeless = 1.5;    // times the best: no further rounds
constexpr double worthwhile = 0.97; // of the smaller team's time, for a larger one to be used
constexpr double long_step = 1e-3;
constexpr double slower = 1.15; // than a smaller team was: something has changed
// What a trial took longer than its best would have, as a share of the time until the next; and until one that is wanted, or that asks
// whether a disturbance made the answer. Where steps are long it is tenths of a second.
constexpr double worth_trying = 0.02, worth_asking_soon = 0.1;
constexpr double worth_sharing = 1e-5; // a step of so many seconds: that one thread is best for it may be owed to a disturbance

} // namespace

TeamTrial::TeamTrial(int least, int most, Index rows, std::optional<Strategy> forced, const TeamTrial *before) {
    if (before) doubt_ = before->doubt_;
    const auto add = [&](int threads) {
        if (forced) candidates_.push_back({{threads, *forced}, {}});
        else
            for (const Strategy strategy : strategies(rows, threads)) candidates_.push_back({{threads, strategy}, {}});
    };
    for (int threads = least; threads < most; threads *= 2) add(threads);
    add(most);
    if (candidates_.size() == 1) decide({});
}

double TeamTrial::Candidate::least() const { return *std::min_element(seconds.begin(), seconds.end()); }

Index TeamTrial::steps() const {
    const auto sure = [](const Candidate &candidate) { return !candidate.seconds.empty() && candidate.least() >= sure_step; };
    if (std::any_of(candidates_.begin(), candidates_.end(), sure)) return 1;
    const std::vector<double> &known = candidates_[current_].seconds;
    const double timed = known.empty() ? 1 : std::ceil(window_seconds / std::max(known.back(), 1e-9));
    return 1 + std::min(most_window_steps, static_cast<Index>(timed));
}

Index TeamTrial::steps_until_stale() const {
    if (candidates_.size() == 1) return std::numeric_limits<Index>::max();
    const std::vector<double> &known = candidates_[current_].seconds;
    const double seconds = lifetime_.count();
    return known.empty() ? most_window_steps : 1 + static_cast<Index>(seconds / std::max(candidates_[current_].least(), 1e-9));
}

void TeamTrial::record(double step_seconds, Index steps, Clock::time_point now) {
    candidates_[current_].seconds.push_back(step_seconds);
    candidates_[current_].steps += steps;
    spent_ += static_cast<double>(steps) * step_seconds;
    next(now);
}

void TeamTrial::watch(double step_seconds) {
    for (const Candidate &other : candidates_)
        if (other.team.threads < team().threads && !other.seconds.empty() && step_seconds > slower * other.least())
            lifetime_ = std::min(lifetime_, std::max(least_life(), Duration(lost_ / worth_asking_soon)));
}

void TeamTrial::next(Clock::time_point now) {
    double best = candidates_[current_].least(); // just recorded
    for (const Candidate &candidate : candidates_)
        if (!candidate.seconds.empty()) best = std::min(best, candidate.least());
    for (std::size_t tried = 0; tried < candidates_.size(); ++tried) {
        current_ = (current_ + 1) % candidates_.size();
        const Candidate &candidate = candidates_[current_];
        const bool wanted = candidate.seconds.empty() || (candidate.least() <= hopeless * best && candidate.least() < sure_step);
        if (candidate.seconds.size() < rounds && wanted) return;
    }
    decide(now);
}

void TeamTrial::decide(Clock::time_point now) {
    current_ = 0;
    for (std::size_t i = 1; i < candidates_.size(); ++i)
        if (candidates_[i].least() < worthwhile * candidates_[current_].least()) current_ = i;
    const Candidate &best = candidates_[current_];
    const double seconds = candidates_.size() > 1 ? best.least() : 0;
    const bool doubtful = best.team.threads < candidates_.back().team.threads && seconds >= worth_sharing;
    lifetime_ = std::min(doubtful ? doubt_ : longest, seconds < long_step ? longest_of_short : longest);
    // By the least times: what disturbed a trial may have made its answer wrong, and must not make it last.
    for (const Candidate &other : candidates_)
        if (!other.seconds.empty()) lost_ += static_cast<double>(other.steps) * (other.least() - seconds);
    const bool sudden = doubtful && doubt_ == first_doubt;
    lifetime_ = std::max({lifetime_, least_life(), Duration(lost_ / (sudden ? worth_asking_soon : worth_trying))});
    doubt_ = doubtful ? std::min(longest, 2 * doubt_) : first_doubt;
    decided_ = true;
    decided_at_ = now;
}

} // namespace ganglion
