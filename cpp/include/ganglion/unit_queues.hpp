// What is left of the units of a phase: each thread takes its own in turn, and who is through takes over the last of another's.
#pragma once
#include "ganglion/matrix.hpp"
#include <atomic>
#include <cstdint>
#include <vector>

namespace ganglion {

class UnitQueues {
  public:
    explicit UnitQueues(int team) : queues_(static_cast<std::size_t>(team)) {}

    // The next of the units first … end - 1, which are `thread`'s in this phase; -1: none is left. All threads count the phases alike,
    // the first being 1, and each asks in each phase: a queue of an earlier one is known to be full, and a thread may lose units before
    // it comes to them.
    Index take_first(int thread, std::uint64_t phase, Index first, Index end) {
        return take(thread, {phase, first, end}, [](Left &left) { return left.first++; });
    }
    // The last of them, by another thread.
    Index take_last(int thread, std::uint64_t phase, Index first, Index end) {
        return take(thread, {phase, first, end}, [](Left &left) { return --left.end; });
    }
    static constexpr Index most_units = (Index{1} << 24) - 1;

  private:
    struct Left {
        std::uint64_t phase; // its last 16 bits are kept
        Index first, end;
        std::uint64_t packed() const { return phase << 48 | static_cast<std::uint64_t>(first) << 24 | static_cast<std::uint64_t>(end); }
    };
    struct alignas(128) Queue { // as the barrier's counters
        std::atomic<std::uint64_t> left{0};
    };
    template <class Choose> Index take(int thread, const Left &all, Choose choose) {
        std::atomic<std::uint64_t> &queue = queues_[static_cast<std::size_t>(thread)].left;
        std::uint64_t seen = queue.load(std::memory_order_relaxed);
        while (true) {
            Left left = all;
            const bool stale = seen >> 48 != (all.phase & 0xffff);
            if (!stale) left = {all.phase, static_cast<Index>(seen >> 24 & most_units), static_cast<Index>(seen & most_units)};
            const bool empty = left.first == left.end;
            if (empty && !stale) return -1;
            const Index unit = empty ? -1 : choose(left); // a stale one that is empty is written too: it would be this phase's in 65536
            if (queue.compare_exchange_weak(seen, left.packed(), std::memory_order_relaxed)) return unit;
        }
    }

    std::vector<Queue> queues_;
};

} // namespace ganglion
