#include "ganglion/schedule.hpp"
#include "ganglion/elementary.hpp"
#include "ganglion/table.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace ganglion {
namespace {

using Description = ScheduleDescription;

double constant(const Description &description, std::int64_t) { return description.initial; }

// From `from` at step 0 in a straight line to `to` at step `steps`, then `to`: both ends exactly.
double line(double from, double to, std::int64_t step, std::int64_t steps) {
    if (step >= steps) return to;
    return from + (to - from) * (static_cast<double>(step) / static_cast<double>(steps));
}

double linear(const Description &description, std::int64_t step) {
    return line(description.initial, description.final, step, description.steps);
}

// initial · factor to the number of whole `steps` done.
double step_decay(const Description &description, std::int64_t step) {
    return description.initial * power(description.factor, step / description.steps);
}

// initial · factor^(step / steps): the whole powers are those of step_decay.
double exponential_decay(const Description &description, std::int64_t step) {
    const double rest = static_cast<double>(step % description.steps) / static_cast<double>(description.steps);
    return step_decay(description, step) * exponential(rest * logarithm(description.factor));
}

// From `from` at share 0 to `to` at share 1 along half a wave: both ends exactly.
double half_wave(double from, double to, double share) {
    if (share >= 1) return to;
    return from + (to - from) * (0.5 * (1 - circle(0.5 * share)[0]));
}

// Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, equation 5, without restarts.
double cosine(const Description &description, std::int64_t step) {
    return half_wave(description.initial, description.final, static_cast<double>(step) / static_cast<double>(description.steps));
}

// rates[i] after boundaries[i - 1], up to and with boundaries[i].
double piecewise(const Description &description, std::int64_t step) {
    const auto place = std::lower_bound(description.boundaries.begin(), description.boundaries.end(), step);
    return (*description.rates)[static_cast<std::size_t>(place - description.boundaries.begin())];
}

// A straight line from `initial` to where `then` begins, `steps` later.
double warm_up(const Description &description, std::int64_t step) {
    if (step >= description.steps) return description.then->rate(step - description.steps);
    return line(description.initial, description.then->rate(0), step, description.steps);
}

// Smith & Topin, "Super-convergence", 2018: up to `peak` at step peak_step, down to `final` at the last step.
double one_cycle(const Description &description, std::int64_t step) {
    const auto t = static_cast<double>(step);
    if (t < description.peak_step) return half_wave(description.initial, description.peak, t / description.peak_step);
    const double left = static_cast<double>(description.steps - 1) - description.peak_step;
    return left > 0 ? half_wave(description.peak, description.final, (t - description.peak_step) / left) : description.final;
}

// Of step `steps` and those after it; check_sampled has seen to it that there is one.
double sampled(const Description &description, std::int64_t step) {
    return description.rates->at(static_cast<std::size_t>(step - description.steps));
}

constexpr Schedule table[] = {
    {"constant", constant}, {"linear", linear},       {"step", step_decay}, {"exponential", exponential_decay},
    {"cosine", cosine},     {"piecewise", piecewise}, {"warm_up", warm_up}, {"one_cycle", one_cycle},
    {"sampled", sampled},
};

} // namespace

std::span<const Schedule> schedules() { return table; }

NamedSchedule make_schedule(std::string_view name, ScheduleDescription description) {
    const Schedule &row = find_row(schedules(), name, "schedule");
    const auto require = [&](bool condition, const char *what) {
        if (!condition) throw std::invalid_argument("the schedule '" + std::string(name) + "' needs " + what);
    };
    if (row.rate == step_decay || row.rate == exponential_decay || row.rate == cosine || row.rate == one_cycle)
        require(description.steps > 0, "at least 1 step");
    if (row.rate == exponential_decay) require(std::isnormal(description.factor) && description.factor > 0, "a positive factor");
    if (row.rate == piecewise)
        require(description.rates && description.rates->size() == description.boundaries.size() + 1, "one rate more than boundaries");
    if (row.rate == warm_up) require(description.then != nullptr, "another schedule to go on with");
    return {&row, std::move(description)};
}

void NamedSchedule::set_samples(std::int64_t first, std::vector<double> rates) {
    if (row->rate != sampled)
        throw std::invalid_argument("the schedule '" + std::string(row->name) + "' is a formula: it takes no samples");
    description.steps = first;
    description.rates = std::make_shared<const std::vector<double>>(std::move(rates));
}

void NamedSchedule::check(std::int64_t first, std::int64_t count) const {
    if (row->rate != sampled) return;
    const std::int64_t known = description.rates ? static_cast<std::int64_t>(description.rates->size()) : 0;
    if (first < description.steps || count > known - (first - description.steps))
        throw std::invalid_argument("the learning rate is known for " + std::to_string(known) + " steps from step " +
                                    std::to_string(description.steps) + " on; a run of " + std::to_string(count) + " from step " +
                                    std::to_string(first) + " on needs its own samples");
}

} // namespace ganglion
