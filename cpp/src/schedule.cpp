#include "ganglion/schedule.hpp"
#include "ganglion/table.hpp"

#include <stdexcept>
#include <string>

namespace ganglion {
namespace {

double constant(const ScheduleDescription &description, std::int64_t) { return description.initial; }

// A straight line from `initial` at step 0 to `final` at step `steps`, then `final`: both ends exactly.
double linear(const ScheduleDescription &description, std::int64_t step) {
    if (step >= description.steps) return description.final;
    const double done = static_cast<double>(step) / static_cast<double>(description.steps);
    return description.initial + (description.final - description.initial) * done;
}

constexpr Schedule table[] = {{"constant", constant}, {"linear", linear}};

} // namespace

std::span<const Schedule> schedules() { return table; }

const Schedule &find_schedule(std::string_view name) { return find_row(schedules(), name, "schedule"); }

} // namespace ganglion
