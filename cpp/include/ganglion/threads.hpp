// The one place that knows OpenMP: a team of threads, its barrier and its default size.
#pragma once
#include <atomic>
#include <cfenv>
#include <vector>

namespace ganglion {

// Threads that a run gets when nobody asks for a number: the least of OpenMP's own limit (OMP_NUM_THREADS, threadpoolctl),
// the processors this process may use and its control group's quota. 1 in a child forked after the core was used, whose
// OpenMP pool did not survive the fork.
int default_team();

// So many threads, at most default_team(). One is given without a question: asking for the processors takes half a microsecond, a
// third of the time of a small network's prediction.
int available_team(int useful);

// The default rounding and denormal mode for the calling thread as long as this lives, then the old one again. Every entry
// of the core that computes holds one, and so does every thread of a team.
class DefaultArithmetic {
  public:
    DefaultArithmetic();
    ~DefaultArithmetic();
    DefaultArithmetic(const DefaultArithmetic &) = delete;
    DefaultArithmetic &operator=(const DefaultArithmetic &) = delete;

  private:
#if defined(__x86_64__)
    unsigned saved_; // the SSE control register: cheaper than the whole environment, whose x87 half is not used
#else
    std::fenv_t saved_;
#endif
};

// Where all threads of a team wait for the last. Spins briefly, then yields its processor at each look, so that a team
// larger than the machine still moves on. Each thread writes a counter of its own, which the others read: with one for all and a turn
// that the last one gives, a line passes between two cores three times in place of once.
class Barrier {
  public:
    explicit Barrier(int most) : counters_(static_cast<std::size_t>(most)) {}
    // By threads 0 … team - 1; the same team each time.
    void wait(int thread, int team) {
        if (team > 1) wait_for_all(thread, team);
    }

  private:
    struct alignas(128) Counter { // two lines: the next one is fetched along with one
        std::atomic<unsigned> turns{0};
    };
    void wait_for_all(int thread, int team);

    std::vector<Counter> counters_;
};

namespace detail {
int run_team(int threads, void (*body)(void *, int thread, int team), void *data);
}

// Calls body(thread, team) on `threads` threads at once, the caller being thread 0, and returns the size of the team that
// ran. The body must not throw.
template <class Body> int parallel(int threads, Body &&body) {
    return detail::run_team(threads, [](void *data, int thread, int team) { (*static_cast<Body *>(data))(thread, team); }, &body);
}

} // namespace ganglion
