// A run of the processor: what its threads share, and what each of them does.
#pragma once
#include "ganglion/device.hpp"
#include "ganglion/unit_queues.hpp"
#include "ganglion/verdict.hpp"

namespace ganglion {

// An epoch's batches.
struct Epoch {
    Index rows, batch_size;
    Index steps() const { return (rows + batch_size - 1) / batch_size; }
    Index first(Index position) const { return position * batch_size; }
    Index size(Index position) const { return std::min(batch_size, rows - first(position)); }
};

// What the threads of one run share.
template <class T> struct Processor<T>::Shared {
    explicit Shared(int team) : barrier(team), queues(team) {}
    Barrier barrier;
    UnitQueues queues;
    bool stop = false;             // written by thread 0 before a step's last barrier, read by all after it
    alignas(128) Result<T> result; // from here on written at every step, in lines that only thread 0 needs
    Progress progress;
    std::vector<double> seconds;
    std::vector<Timesheet> sheets; // of each thread
    Index timed_steps = 0, next_timed = 0;
    std::chrono::steady_clock::time_point first_step_end;
};

// One thread of a run. All threads step the same counters and come to the same verdicts, each for itself: no barrier but the
// two that the phases need. Thread 0's counters are the ones that are kept.
template <class T> class Processor<T>::Worker {
  public:
    Worker(Processor &processor, Training<T> &training, const Request<T> &request, Shared &shared, int thread);
    void run() {
        for (Index made = 0; made < request_.steps && make_step(made);) ++made;
    }

  private:
    bool make_step(Index made); // false: the run ends
    void begin_step();
    bool may_write();             // after the row phases: may the gradients go on to the weights?
    bool scale_gradients();       // to their mean over the summed batches, and to the norm that they are clipped to
    void account();               // loss and metrics of the step, by thread 0
    void ask_to_stop(Index made); // by thread 0
    void finish_step(Index made, bool ends_epoch);
    double run_units(const Phase &phase, bool has_next); // returns how much it did, its own part, if it has one, being 1
    double take_over(const Phase &phase, double done);   // the same, when it has done so much
    double run_one(const Phase &phase, Index number);    // returns the unit's size
    bool end(Verdict verdict);

    Processor &processor_;
    Training<T> &training_;
    const Request<T> &request_;
    Shared &shared_;
    const int thread_;
    Scratch<T> &scratch_;
    const Epoch epoch_;
    const OptimizerRule &rule_;
    const Index look_every_;
    const bool far_;    // does each batch come from memory beyond the caches?
    const bool hosted_; // does the caller's own code run in between, which may write to x?
    Cursor cursor_;
    Step<T> step_;
    const Plan *plan_ = nullptr;
    Constants constants_{};
    bool transposed_ = false;       // into the thread's own memory, in this run
    bool repeats_ = false;          // the batch is the one of the step before, and its largest |x| known
    std::uint64_t open_phases_ = 0; // so far
    T next_input_ = 0;              // the largest |x| of what was gathered of the next batch, or of the same one
    double largest_weight_, largest_moment_, largest_gradient_;
    std::uint64_t next_look_;               // of the monitor: at this step
    bool updates_ = true, watched_ = false; // is the batch under way the last of its sum, and is there a look at its step?
};

} // namespace ganglion
