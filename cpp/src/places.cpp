#include "ganglion/places.hpp"
#if defined(__linux__)
#include <sched.h>
#endif

namespace ganglion {

#if defined(__linux__)
void Places::arrive() {
    const int here = sched_getcpu();
    const unsigned turn = arrived_.fetch_add(1, std::memory_order_relaxed);
    if (here < 0 || turn >= taken_.size()) return;
    bool shared = false;
    for (unsigned other = 0; other < turn; ++other) shared |= taken_[other].load(std::memory_order_relaxed) == here + 1;
    cpu_set_t allowed, now;
    if (shared && sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        cpu_set_t free = allowed;
        for (unsigned other = 0; other < turn; ++other)
            if (const int taken = taken_[other].load(std::memory_order_relaxed); taken > 0)
                CPU_CLR(static_cast<unsigned>(taken - 1), &free);
        const bool moved = CPU_COUNT(&free) > 0 && sched_setaffinity(0, sizeof free, &free) == 0;
        if (moved && sched_getaffinity(0, sizeof now, &now) == 0 && CPU_EQUAL(&now, &free)) sched_setaffinity(0, sizeof allowed, &allowed);
    }
    taken_[turn].store(sched_getcpu() + 1, std::memory_order_relaxed);
}
#else
void Places::arrive() {}
#endif

} // namespace ganglion
