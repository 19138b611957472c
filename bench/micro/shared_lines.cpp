// What does the first store to a cache line cost that another core has read, and what takes that cost beforehand?
//
//     g++ -O2 -std=c++20 -mavx512f -mprfchw -pthread bench/micro/shared_lines.cpp -o /tmp/shared_lines && /tmp/shared_lines
//
// Two threads on cores 0 and 1 read each other's 180 lines, then each rewrites its own; prints nanoseconds a line, and what a word takes
// from one core to the other. Zen 4, two processors of a virtual machine, which its host moves about, medians of ten runs: where a word
// takes 70 ns, a line that the other has read takes 4.8 by elements and 8.3 (in some runs 3.8) by whole lines, 0.9 where it has not; 7.1
// with prefetches for writing 4 µs before, 1.1 where an element was written 4 µs before. Where a word takes 270 ns, 18, 33, 27 and 1.6.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <immintrin.h>
#include <pthread.h>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr int lines = 180, line = 16, rounds = 5'000;

enum class Before { nothing, prefetch, store };
enum class Write { elements, whole_lines };
struct Case {
    const char *name;
    bool read;
    Before before;
    Write write;
};

struct alignas(128) Turn {
    std::atomic<unsigned> count{0};
};
std::array<Turn, 2> turns;

void meet(int thread) {
    const unsigned turn = turns[thread].count.load() + 1;
    turns[thread].count.store(turn, std::memory_order_release);
    while (turns[1 - thread].count.load(std::memory_order_acquire) - turn > 1) _mm_pause();
}

void pin(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

double nanoseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::nano>(Clock::now() - start).count(); }

double median(std::vector<double> &values) {
    std::nth_element(values.begin(), values.begin() + rounds / 2, values.end());
    return values[rounds / 2];
}

template <class Body> void on_both(Body body) {
    for (Turn &turn : turns) turn.count = 0;
    std::thread other([&] {
        pin(1);
        body(1);
    });
    pin(0);
    body(0);
    other.join();
}

// Nanoseconds from one core to the other: half a round trip.
double one_way() {
    std::vector<double> trips(rounds);
    on_both([&](int thread) {
        for (double &trip : trips) {
            const auto start = Clock::now();
            for (int i = 0; i < 10; ++i) { // 1 answers 0
                if (thread == 0) turns[0].count.fetch_add(1);
                while (turns[1 - thread].count.load() != turns[thread].count.load() + (thread == 0 ? 0 : 1)) _mm_pause();
                if (thread == 1) turns[1].count.fetch_add(1);
            }
            if (thread == 0) trip = nanoseconds_since(start) / 20;
        }
    });
    return median(trips);
}

// Nanoseconds a line, of thread 0.
double rewriting(const Case &given) {
    alignas(4096) static std::array<float, std::size_t{2} * lines * line> all{};
    std::vector<double> seen(rounds);
    on_both([&](int thread) {
        float *const own = all.data() + thread * lines * line;
        const float *const read = all.data() + (given.read ? 1 - thread : thread) * lines * line;
        volatile float sum = 0;
        for (int round = 0; round < rounds; ++round) {
            for (int i = 0; i < lines; ++i) sum = sum + read[i * line];
            meet(thread);
            for (int i = 0; i < lines; ++i) {
                volatile float *const element = own + i * line;
                if (given.before == Before::prefetch) __builtin_prefetch(own + i * line, 1, 2);
                if (given.before == Before::store) *element = *element;
            }
            for (const auto start = Clock::now(); nanoseconds_since(start) < 4e3;) {
            }
            const auto start = Clock::now();
            for (int i = 0; i < lines; ++i) {
                if (given.write == Write::elements) *static_cast<volatile float *>(own + i * line) = static_cast<float>(round);
                else _mm512_store_ps(own + i * line, _mm512_set1_ps(static_cast<float>(round)));
            }
            _mm_mfence();
            if (thread == 0) seen[round] = nanoseconds_since(start) / lines;
            meet(thread);
        }
    });
    return median(seen);
}

} // namespace

int main() {
    constexpr Case cases[] = {
        {"nobody else reads, whole lines", false, Before::nothing, Write::whole_lines},
        {"both read, elements", true, Before::nothing, Write::elements},
        {"both read, whole lines", true, Before::nothing, Write::whole_lines},
        {"both read, prefetched, whole lines", true, Before::prefetch, Write::whole_lines},
        {"both read, an element stored before, whole lines", true, Before::store, Write::whole_lines},
    };
    for (const Case &given : cases) {
        const double before = one_way();
        const double found = rewriting(given);
        std::printf("%5.1f  %s (a word takes %.0f to %.0f)\n", found, given.name, before, one_way());
    }
}
