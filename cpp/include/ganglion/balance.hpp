// What part of a step each thread of a team takes: equal ones at first, then as much as its processor is fast. Where others use one, or
// it is of a slower kind, all would wait for that one. The bits are the same.
#pragma once
#include "ganglion/matrix.hpp"
#include <algorithm>
#include <array>
#include <vector>

namespace ganglion {

enum class Work { rows, weights }; // shared out by rows of the batch; by rows or columns of the kernels

// What one thread spent on each, in a sample of a run's steps.
class alignas(64) Timesheet {
  public:
    explicit Timesheet(Index steps) : every_(std::max<Index>(1, steps / most_samples)) {}
    bool samples(Index step) const { return step % every_ == every_ - 1; } // the first wakes the team, and is one of them only if all are
    void add(Work work, double seconds) { step_[static_cast<std::size_t>(work)] += seconds; }
    void end_step();
    double median(Work work) const; // seconds of a step; 0: of too few steps

  private:
    static constexpr Index most_samples = 32;
    Index every_;
    std::array<double, 2> step_{};
    std::array<std::vector<double>, 2> seconds_;
};

class Balance {
  public:
    Balance(int team = 1); // equal parts
    // These parts, whatever the threads' speed: of each thread, any positive numbers.
    Balance(std::vector<double> rows, std::vector<double> weights);

    int team() const { return static_cast<int>(parts_[0].size()); }
    const std::vector<double> &parts(Work work) const { return parts_[static_cast<std::size_t>(work)]; } // sum 1
    double before(Work work, int thread) const;                                                          // of the threads before this one
    // Parts with which the threads would have taken equally long. Those of a balance that was given stay.
    void follow(const std::vector<Timesheet> &sheets);
    bool operator==(const Balance &) const = default;

  private:
    std::array<std::vector<double>, 2> parts_;
    bool given_ = false;
};

} // namespace ganglion
