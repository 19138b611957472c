// The size of the team by measurement: steps that have to be made anyway are made by teams of several sizes in turn, and the
// fastest goes on. Nobody's model of barriers and caches is as good as the machine's own answer, and the bits are the same.
#pragma once
#include "ganglion/matrix.hpp"
#include <chrono>
#include <vector>

namespace ganglion {

class TeamTrial {
  public:
    // Of teams of 1, 2, 4 … and `most` threads.
    explicit TeamTrial(int most);

    bool decided() const { return decided_; }
    bool stale() const { return decided_ && Clock::now() - decided_at_ > lifetime; }
    int team() const { return candidates_[current_].team; } // to use now
    int most() const { return most_; }
    Index steps() const;              // to make with it before the next look; a first one, which wakes the team, is not timed
    Index steps_until_stale() const;  // to make with the chosen one before it is asked again
    void record(double step_seconds); // what a step of them took

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr auto lifetime = std::chrono::seconds(3); // other work on the machine comes and goes

    struct Candidate {
        int team;
        std::vector<double> seconds; // one a round
        double median() const;
    };
    void next();
    void decide();

    int most_;
    std::vector<Candidate> candidates_;
    std::size_t current_ = 0;
    bool decided_ = false;
    Clock::time_point decided_at_;
};

} // namespace ganglion
