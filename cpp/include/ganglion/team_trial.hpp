// The size of the team and its plan by measurement: steps that have to be made anyway are made by several teams in turn, and the
// fastest goes on. Nobody's model of barriers and caches is as good as the machine's own answer, and the bits are the same.
#pragma once
#include "ganglion/plan.hpp"
#include <chrono>
#include <optional>
#include <vector>

namespace ganglion {

struct Team {
    int threads;
    Strategy strategy;
    bool operator==(const Team &) const = default;
};

class TeamTrial {
  public:
    using Clock = std::chrono::steady_clock;
    // Of teams of `least`, twice as many … and `most` threads, with the plans that suit batches of `rows` rows, or with the forced.
    // `before`: what was found out earlier.
    TeamTrial(int least, int most, Index rows, std::optional<Strategy> forced, const TeamTrial *before = nullptr);

    bool decided() const { return decided_; }
    bool stale(Clock::time_point now = Clock::now()) const { return decided_ && candidates_.size() > 1 && now - decided_at_ > lifetime_; }
    const Team &team() const { return candidates_[current_].team; } // to use now
    Index steps() const;             // to make with it before the next look; a first one, which wakes the team, is not timed
    Index steps_until_stale() const; // to make with the chosen one before it is asked again
    void record(double step_seconds, Index steps, Clock::time_point now = Clock::now()); // what a step of them took
    // The same of the chosen one's, later: where a smaller one was faster in the trial, all are asked again.
    void watch(double step_seconds);

  private:
    using Duration = std::chrono::duration<double>;
    // How long a decision holds, as other work on the machine comes and goes; longer where the trial cost much.
    static constexpr Duration longest{3}, longest_of_short{1};
    static constexpr double most_trying = 0.25; // of all time, where each trial is disturbed
    static constexpr Duration first_doubt{0.1}; // one that may be owed to a disturbance; twice as long each time it is found again

    struct Candidate {
        Team team;
        std::vector<double> seconds; // one a round
        Index steps = 0;             // in all of them
        double least() const;        // disturbances only add to it
    };
    Duration least_life() const { return Duration(spent_ / most_trying); }
    void next(Clock::time_point now);
    void decide(Clock::time_point now);

    std::vector<Candidate> candidates_;
    std::size_t current_ = 0;
    double spent_ = 0; // seconds of the trial
    double lost_ = 0;  // that the trial took longer than with the best alone, disturbances aside
    bool decided_ = false;
    Duration doubt_ = first_doubt, lifetime_ = longest;
    Clock::time_point decided_at_;
};

} // namespace ganglion
