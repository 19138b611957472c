// Learning rates as functions of the optimizer step: a table. A new schedule is one row in schedule.cpp.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace ganglion {

// What the rows of the table make a rate of; a row ignores what its formula does not name.
struct ScheduleDescription {
    double initial;
    double final;
    std::int64_t steps;
};

struct Schedule {
    const char *name;
    double (*rate)(const ScheduleDescription &description, std::int64_t step); // step = 0, 1, …
};

std::span<const Schedule> schedules();

// Throws std::invalid_argument, listing the known names.
const Schedule &find_schedule(std::string_view name);

} // namespace ganglion
