// A device takes a whole plan through many steps: prepare it, run it, fetch what it left. Never single operations, which
// would make fusion impossible. The processor is one; another implements the same three calls for the same plans.
#pragma once
#include "ganglion/team_trial.hpp"
#include "ganglion/threads.hpp"
#include "ganglion/training.hpp"
#include <chrono>
#include <functional>
#include <optional>

namespace ganglion {

// Why a device came back.
enum class Outcome {
    done,
    stopped,    // stop() said so
    other_team, // fewer threads ran than the plans were made for; nothing was done
    bad_input,  // x holds what is not a finite number; this step was not made
    unbounded,  // gradients might overflow: this step was not made and wants Strategy::stored
    diverged,   // loss, output or gradient of `stage` is not finite; this step was not made
};

// Loss and metrics of the epoch under way, as a callback of the caller sees them.
struct Progress {
    Index epoch, position;
    std::vector<double> means; // loss, metrics …
};
using Stop = std::function<bool(const Progress &)>; // true: come back after this step. Must not throw

template <class T> struct Request {
    const Feed<T> *feed;
    Index batch_size;
    Index steps;
    bool shuffle;
    bool careful; // the plans store gradients: gradients that are not finite end the step instead of the bound
    Stop stop;
    std::chrono::steady_clock::time_point *asked; // when stop was called last
    bool part = false;                            // the feed is one batch of an epoch that goes on after it
    bool last = false;                            // of these parts
    bool balances = false;                        // the threads' parts may follow what they took in it
};

template <class T> struct Result {
    Outcome outcome = Outcome::done;
    int team = 0; // that ran
    Index steps = 0;
    Counts counts;
    std::size_t stage = 0;       // of a divergence
    const char *what = "loss";   // that was not finite: "loss", "output" or "gradient"
    std::vector<double> epochs;  // (finished epochs, 1 + metrics)
    std::vector<double> seconds; // of each phase, mean over the steps timed; empty: none was
    double step_seconds = 0;     // mean over the steps but the first, in which the team wakes up; 0: there was no other
};

// Belongs to one training. Plans, memory and the measured size of the team are kept for the next run of the same kind.
template <class T> class Processor {
  public:
    // Memory for full and for short last batches on teams of `least` to `most` threads.
    void prepare(const Kernels<T> &kernels, const Training<T> &training, Index batch_size, Index rows, int least, int most,
                 std::optional<Strategy> forced);
    // Plans for such a team.
    void use_team(const Training<T> &training, Team team);
    // Given parts, until they are ended.
    void use_balance(Team team, Balance balance);
    void end_given_balances();
    double step_seconds() const { return step_seconds_; } // of the latest run that told; 0: of none
    TeamTrial &trial();                                   // a new one when the last is stale
    // That memory is there for; 0 before the first preparation.
    Index batch_size() const { return prepared_ ? prepared_->full : 0; }
    // Makes steps from where training.state is and leaves it there.
    Result<T> run(Training<T> &training, const Request<T> &request);
    // The same with plans for the team, or for as many threads as OpenMP gives instead.
    Result<T> run_with(Team team, Training<T> &training, const Request<T> &request);
    // Gradients of the last step, in the parameters' layout; empty unless the plan stored them.
    const Buffer<T> &fetch_gradients() const { return workspace_.gradients; }
    // Leaves the order of the epoch's rows to another.
    void exchange_order(Processor &other) {
        std::swap(order_, other.order_);
        std::swap(ordered_, other.ordered_);
    }
    const Plan &plan() const { return full_; }
    const Workspace<T> &workspace() const { return workspace_; } // as the last step left it
    // Of the last step.
    double mean_loss(const LossKernels<T> &loss, const Architecture &net, Index rows) const;

  private:
    struct Prepared {
        const Kernels<T> *kernels;
        Index full, last; // rows of a batch
        int least, most;
        std::optional<Strategy> forced;
        Demands demands;
        bool operator==(const Prepared &) const = default;
    };
    struct Shared;
    class Worker;
    void order_rows(const Training<T> &training, Index rows, Index epoch);
    Balance &balance_of(Team team);
    const Plan &plan_of(Index rows) const { return rows == full_.rows ? full_ : last_; } // of a batch of so many

    std::optional<Prepared> prepared_;
    std::optional<TeamTrial> trial_;
    Plan full_, last_;
    std::vector<std::pair<Team, Balance>> balances_; // of the teams that have run
    double step_seconds_ = 0;
    Workspace<T> workspace_;
    Look<T> look_;                    // for the monitor
    std::vector<std::int32_t> order_; // of the rows in epoch `ordered_`
    Index ordered_ = -1;
};

} // namespace ganglion
