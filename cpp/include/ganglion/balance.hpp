// What part of a step each thread of a team takes: equal ones at first, then such that all take equally long. Where others use a
// processor, or it is of a slower kind, all would wait for that one. The bits are the same.
#pragma once
#include "ganglion/matrix.hpp"
#include <algorithm>
#include <array>
#include <vector>

namespace ganglion {

enum class Work { rows, weights }; // shared out by rows of the batch; by rows or columns of the kernels

// A number of each thread, for both kinds of work.
using ByThread = std::array<std::vector<double>, 2>;
inline const std::vector<double> &of(const ByThread &numbers, Work work) { return numbers[static_cast<std::size_t>(work)]; }

// What one thread spent on each kind, in a sample of a run's steps.
class alignas(64) Timesheet {
  public:
    static constexpr Index fewest_steps = 4; // of a run, for the sheet to say anything
    explicit Timesheet(Index steps);
    bool samples(Index step) const { return step % every_ == every_ - 1; }
    void add(Work work, double seconds) { step_[static_cast<std::size_t>(work)] += seconds; }
    void forget_step() { known_ = false; } // the one under way
    void end_step();
    Index steps() const { return static_cast<Index>(seconds_[0].size()); } // that were not forgotten
    double median(Work work) const;                                        // seconds of a step; 0: of too few steps

  private:
    Index every_;
    std::array<double, 2> step_{};
    bool known_ = true;
    ByThread seconds_;
};

class Balance {
  public:
    Balance() : Balance(1) {}
    explicit Balance(int team); // equal parts
    // These parts, whatever the threads' speed: of each thread, any positive numbers.
    Balance(std::vector<double> rows, std::vector<double> weights);

    int team() const { return static_cast<int>(parts_[0].size()); }
    bool given() const { return given_; }
    const ByThread &parts() const { return parts_; } // sum 1
    // The first of n units that is thread t's, and for t = team n. Each has one, where there are enough.
    Index first(Work work, Index n, int thread) const;
    double before(Work work, int thread) const; // the part of the threads before this one
    // Moves work from threads that took longer than their mean to the others; says whether it moved any. `had`: parts of the work of
    // all, which units make differ from those of the balance.
    bool follow(const std::vector<Timesheet> &sheets, const ByThread &had);
    bool operator==(const Balance &) const = default;

  private:
    ByThread parts_;
    bool given_ = false;
};

} // namespace ganglion
