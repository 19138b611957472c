// How long does a line take from one core's cache to another's? What a barrier costs at the least, and why a phase must be long.
//
//     g++ -O2 -std=c++20 -pthread bench/micro/cache_line.cpp -o /tmp/cache_line && /tmp/cache_line
//
// Two threads on cores 0 and 1 hand a number to and fro; prints nanoseconds one way, eight times. On virtual machines it changes
// from minute to minute with what the neighbours do: 40 and 230 were seen on the same one.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <pthread.h>
#include <thread>

namespace {

constexpr int turns = 200000;
std::atomic<int> number;

void stay_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

void play(int core, int first) {
    stay_on(core);
    for (int turn = 0; turn < turns; ++turn) {
        const int mine = 2 * turn + first;
        while (number.load(std::memory_order_acquire) != mine) {
        }
        number.store(mine + 1, std::memory_order_release);
    }
}

} // namespace

int main() {
    for (int round = 0; round < 8; ++round) {
        number = 0;
        const auto start = std::chrono::steady_clock::now();
        std::thread other(play, 1, 1);
        play(0, 0);
        other.join();
        const std::chrono::duration<double, std::nano> all = std::chrono::steady_clock::now() - start;
        std::printf("%.1f ns one way\n", all.count() / turns / 2);
    }
}
