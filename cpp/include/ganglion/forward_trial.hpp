// Whether forward passes are shared out at all, by measurement: where threads of other libraries spin on the same processors, a team
// waits for the thread that gets none. After NumPy's and PyTorch's own products a row through 1024-1024-1024-10 took two threads 990 µs,
// and takes one 115.
#pragma once
#include "ganglion/matrix.hpp"
#include <array>
#include <chrono>
#include <mutex>

namespace ganglion {

// For each size of batch, to a factor of two, the faster of a whole team and one thread. The other is asked again now and then.
class ForwardTrial {
  public:
    using Clock = std::chrono::steady_clock;

    // Threads for a pass over so many rows, where a team of `most` would be used.
    int team(Index rows, int most);
    // What one took.
    void record(Index rows, int team, double seconds, Clock::time_point now);

  private:
    struct Batches {
        bool alone = false, asking = false; // the choice; and is the other one being asked?
        bool won = false;                // the other one, when it was asked last: once more, as the choice's passes may have been unlucky
        std::array<double, 3> seconds{}; // of a row
        std::size_t passes = 0;          // of these three
        double usual = 0;                // their median with the choice
        std::chrono::duration<double> wait{0};
        Clock::time_point asked{}; // the other one, when last
    };
    Batches *of(Index rows);

    std::mutex busy_;
    std::array<Batches, 12> batches_; // by the bits of the number of rows; larger ones are of many panels, which whoever is free takes
};

} // namespace ganglion
