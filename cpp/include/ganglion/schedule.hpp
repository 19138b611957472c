// Learning rates as functions of the optimizer step: a table. A new schedule is one row in schedule.cpp.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace ganglion {

struct NamedSchedule;

// What the rows of the table make a rate of; a row ignores what its formula does not name.
struct ScheduleDescription {
    double initial;
    double final;
    std::int64_t steps;
    double factor = 1;
    double peak = 0, peak_step = 0;
    std::vector<std::int64_t> boundaries;                  // ascending
    std::shared_ptr<const std::vector<double>> rates = {}; // one more than boundaries, or those of the steps sampled
    std::shared_ptr<const NamedSchedule> then = {};
};

struct Schedule {
    const char *name;
    double (*rate)(const ScheduleDescription &description, std::int64_t step); // step = 0, 1, …
};

struct NamedSchedule {
    const Schedule *row;
    ScheduleDescription description;
    double rate(std::int64_t step) const { return row->rate(description, step); }
    // Rates of the steps from `first` on, for the row "sampled"; throws std::invalid_argument for another.
    void set_samples(std::int64_t first, std::vector<double> rates);
    // Throws std::invalid_argument where the row is "sampled" and one of the steps first … first + count - 1 is not.
    void check(std::int64_t first, std::int64_t count) const;
};

std::span<const Schedule> schedules();

// Throws std::invalid_argument for an unknown name, listing the known ones, and where the row needs what the description lacks.
NamedSchedule make_schedule(std::string_view name, ScheduleDescription description);

} // namespace ganglion
