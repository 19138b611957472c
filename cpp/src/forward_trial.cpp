#include "ganglion/forward_trial.hpp"
#include <algorithm>
#include <bit>

namespace ganglion {
namespace {

using Duration = std::chrono::duration<double>;
constexpr double worthwhile = 0.95; // of the choice's time, for the other to be chosen
constexpr double slower = 1.5;      // than the choice was: something has changed
// Until the other is asked again, twice as long each time that it is not chosen; and in passes, each of which may have taken twice the
// time.
constexpr Duration shortest{0.02}, longest{1};
constexpr double fewest_passes = 300, fewest_in_doubt = 100;

} // namespace

ForwardTrial::Batches *ForwardTrial::of(Index rows) {
    const auto bits = static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(rows)));
    return bits < batches_.size() ? &batches_[bits] : nullptr;
}

int ForwardTrial::team(Index rows, int most) {
    const std::lock_guard lock(busy_);
    const Batches *batches = of(rows);
    return batches && batches->alone != batches->asking ? 1 : most;
}

void ForwardTrial::record(Index rows, int team, double seconds, Clock::time_point now) {
    const std::lock_guard lock(busy_);
    Batches *batches = of(rows);
    if (!batches || (team == 1) != (batches->alone != batches->asking)) return; // a pass at the same time has brought the change
    batches->seconds[batches->passes++] = seconds / static_cast<double>(rows);
    if (batches->passes < batches->seconds.size()) return;
    batches->passes = 0;
    std::sort(batches->seconds.begin(), batches->seconds.end());
    const double median = batches->seconds[1];
    if (!batches->asking) {
        const Duration since = now - batches->asked, pass{median * static_cast<double>(rows)};
        const bool doubtful = median > slower * batches->usual && since > std::max(shortest, fewest_in_doubt * pass);
        const bool due = batches->won || doubtful || since > std::max(batches->wait, fewest_passes * pass);
        batches->asking = batches->usual == 0 || due;
        batches->usual = median;
        return;
    }
    batches->asking = false;
    batches->asked = now;
    const bool faster = median < worthwhile * batches->usual;
    if (!faster) {
        batches->wait = std::clamp(2 * batches->wait, shortest, longest);
    } else if (batches->won) {
        batches->alone = !batches->alone;
        batches->usual = median;
        batches->wait = shortest;
    }
    batches->won = faster && !batches->won;
}

} // namespace ganglion
