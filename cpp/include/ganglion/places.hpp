// Where the threads of a team run: each on a processor of its own, where there are enough.
#pragma once
#include <array>
#include <atomic>

namespace ganglion {

// A thread that is woken while another process still uses the processor next to it is put where its team's other thread runs, and stays
// there for milliseconds though the processor is free by then. Measurements of the team's size fell into these: where four processes
// took turns, a quarter to half of their fits of 784-50-10 were made by one thread, 157 µs a step in place of 84.
class Places {
  public:
    // By each thread of a team, once, where its work begins: it leaves a processor that another came to before it, by its affinity mask,
    // which it gives back unless somebody has changed it meanwhile.
    void arrive();

  private:
    std::array<std::atomic<int>, 64> taken_{}; // by those who came first, plus 1; larger teams are left as they are beyond
    std::atomic<unsigned> arrived_{0};
};

} // namespace ganglion
