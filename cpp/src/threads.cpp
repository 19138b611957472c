#include "ganglion/threads.hpp"
#include "ganglion/places.hpp"
#include <algorithm>
#include <cstdio>
#include <memory>
#include <omp.h>
#include <thread>
#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace ganglion {
namespace {

// Set in a forked child: libgomp's threads are gone and its next parallel region would wait for them for ever.
std::atomic<bool> forked{false};
std::atomic<bool> used_threads{false};

#if defined(__unix__) || defined(__APPLE__)
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] {
    if (used_threads.load()) forked.store(true);
});
#endif

int affinity() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

// Whole processors that the control group's quota amounts to (version 2, then 1); a large number where there is none.
int quota() {
    constexpr int none = 1 << 20;
    using File = std::unique_ptr<std::FILE, int (*)(std::FILE *)>;
    long limit = 0, period = 0;
    if (const File file{std::fopen("/sys/fs/cgroup/cpu.max", "r"), std::fclose}) {
        if (std::fscanf(file.get(), "%ld %ld", &limit, &period) != 2) return none;
    } else {
        const File q{std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r"), std::fclose};
        const File p{std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r"), std::fclose};
        if (!q || !p || std::fscanf(q.get(), "%ld", &limit) != 1 || std::fscanf(p.get(), "%ld", &period) != 1) return none;
    }
    return limit > 0 && period > 0 ? static_cast<int>(std::max(1l, (limit + period - 1) / period)) : none;
}

void pause() {
#if defined(__x86_64__)
    _mm_pause();
#endif
}

} // namespace

#if defined(__x86_64__)
DefaultArithmetic::DefaultArithmetic() : saved_(_mm_getcsr()) { _mm_setcsr(0x1f80); } // exceptions masked, to nearest, denormals kept
DefaultArithmetic::~DefaultArithmetic() { _mm_setcsr(saved_); }
#else
DefaultArithmetic::DefaultArithmetic() {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
}
DefaultArithmetic::~DefaultArithmetic() { std::fesetenv(&saved_); }
#endif

int default_team() {
    if (forked.load()) return 1;
    static const int limit = quota();
    return std::max(1, std::min({limit, affinity(), omp_get_max_threads()}));
}

int available_team(int useful) { return useful > 1 ? std::min(useful, default_team()) : 1; }

void Barrier::wait_for_all(int thread, int team) {
    std::atomic<unsigned> &own = counters_[static_cast<std::size_t>(thread)].turns;
    const unsigned turn = own.load(std::memory_order_relaxed) + 1;
    own.store(turn, std::memory_order_release);
    int looks = 0;
    for (int other = 0; other < team; ++other) {
        // Who is here already is at this turn or the next; one turn behind, the difference wraps around.
        while (counters_[static_cast<std::size_t>(other)].turns.load(std::memory_order_acquire) - turn > 1) {
            if (++looks < 2000) pause();
            else std::this_thread::yield();
        }
    }
}

int detail::run_team(int threads, void (*body)(void *, int thread, int team), void *data) {
    if (threads <= 1 || forked.load()) {
        const DefaultArithmetic mode;
        body(data, 0, 1);
        return 1;
    }
    used_threads.store(true);
    int ran = 1;
    Places places;
    static const int processors = static_cast<int>(std::thread::hardware_concurrency());
#pragma omp parallel num_threads(threads)
    {
        const DefaultArithmetic mode;
        const int thread = omp_get_thread_num(), team = omp_get_num_threads();
        if (thread == 0) ran = team;
        if (threads <= processors) places.arrive();
        body(data, thread, team);
    }
    return ran;
}

} // namespace ganglion
