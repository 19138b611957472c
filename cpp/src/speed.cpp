#include "ganglion/speed.hpp"
#include "ganglion/arena.hpp"
#include "ganglion/threads.hpp"
#include <algorithm>
#include <chrono>
#include <limits>

namespace ganglion {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Best {
    double seconds; // of the fastest run, from when all threads begin to when the last one ends
    int team;
};

// work(thread, team) on all threads again and again; the first run, which wakes the team, does not count.
template <class Work> Best best_run(int threads, double seconds, int least_runs, Work work) {
    Best best{std::numeric_limits<double>::infinity(), 1};
    Barrier barrier(threads);
    bool more = true; // written by thread 0 between two barriers
    best.team = parallel(threads, [&](int thread, int team) {
        const Clock::time_point began = Clock::now();
        for (int run = 0; more; ++run) {
            barrier.wait(thread, team);
            const Clock::time_point start = Clock::now();
            work(thread, team);
            barrier.wait(thread, team);
            if (thread == 0) {
                if (run > 0) best.seconds = std::min(best.seconds, seconds_since(start));
                more = run < least_runs || seconds_since(began) < seconds;
            }
            barrier.wait(thread, team);
        }
    });
    return best;
}

int team_of(const Context &context) { return context.threads > 0 ? context.threads : default_team(); }

} // namespace

template <class T> double measured_peak(const Context &context, double seconds) {
    const Kernels<T> &kernels = kernels_of<T>(*context.kernel_set);
    const Index apart = round_up(kernels.peak_elements, 128); // threads share no cache line
    Buffer<T> x(checked_product(apart, team_of(context)));
    Index steps = 256;
    const auto work = [&](int thread, int) { kernels.peak(x.data() + thread * apart, steps, T(0.5), T(1)); }; // towards 2
    // How many steps make a millisecond is found by trying: an emulated fma takes a hundred times as long.
    for (double taken = 0; taken < 0.5e-3; steps *= 2) {
        const Clock::time_point start = Clock::now();
        work(0, 1);
        taken = seconds_since(start);
    }
    const Best best = best_run(team_of(context), seconds, 3, work);
    return 2.0 * static_cast<double>(steps * kernels.peak_elements) * best.team / best.seconds;
}

template <class T> double measured_update(const Context &context, const std::string &optimizer, Index parameters, double seconds) {
    constexpr Index columns = 512;
    // Adam's constants (a, weight decay, β₁, 1 - β₁, β₂, 1 - β₂, c, ε), of which the others read their first few.
    constexpr T constants[most_constants] = {T(1e-3), 0, T(0.9), T(0.1), T(0.999), T(1e-3), 1, T(1e-8)};
    const auto &row = find_row(rows_of(kernels_of<T>(*context.kernel_set).optimizers), optimizer, "optimizer");
    const Index rows = (parameters + columns - 1) / columns;
    Buffer<T> w(checked_product(rows, columns)), m(row.moments > 0 ? w.size() : 0), v(row.moments > 1 ? w.size() : 0), gradient(columns);
    std::fill(gradient.data(), gradient.data() + columns, T(1));
    const Best best = best_run(team_of(context), seconds, 3, [&](int thread, int team) {
        const Index first = rows * thread / team, count = rows * (thread + 1) / team - first;
        const auto from = [&](Buffer<T> &x) { return x.size() > 0 ? x.data() + first * columns : nullptr; };
        row.update({from(w), count, columns, columns}, {gradient.data(), count, columns, 0}, {from(m), from(v), count, columns, 0, 0},
                   constants);
    });
    return best.seconds * static_cast<double>(parameters) / static_cast<double>(rows * columns);
}

template double measured_peak<float>(const Context &, double);
template double measured_peak<double>(const Context &, double);
template double measured_update<float>(const Context &, const std::string &, Index, double);
template double measured_update<double>(const Context &, const std::string &, Index, double);

} // namespace ganglion
