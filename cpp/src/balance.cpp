#include "ganglion/balance.hpp"
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace ganglion {
namespace {

constexpr Index most_samples = 32;
constexpr double worthwhile = 0.05; // of the mean time, that the slowest thread takes longer
// Of the way to equal times, were each thread's in proportion to its part. They are not, as a thread of any part has lines to fetch from
// the others: parts by speed left 17-64-64-6 with 19 in 20 of its weights on one of two threads, 36 µs a step in place of 20.
constexpr double gain = 0.6;
constexpr double growth = 1.25; // of the part of a thread that had no unit
constexpr double least = 0.25;  // of an equal part

double sum(const std::vector<double> &values) { return std::accumulate(values.begin(), values.end(), 0.0); }

void make_sum_one(std::vector<double> &parts) {
    const double all = sum(parts);
    for (double &part : parts) part /= all;
}

} // namespace

Timesheet::Timesheet(Index steps) : every_(std::max<Index>(1, steps / most_samples)) {
    for (std::vector<double> &seconds : seconds_) seconds.reserve(static_cast<std::size_t>(steps / every_)); // threads must not throw
}

void Timesheet::end_step() {
    for (std::size_t work = 0; known_ && work < step_.size(); ++work) seconds_[work].push_back(step_[work]);
    step_ = {};
    known_ = true;
}

double Timesheet::median(Work work) const {
    std::vector<double> sorted = of(seconds_, work);
    if (steps() < fewest_steps) return 0;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return *middle;
}

Balance::Balance(int team) {
    for (std::vector<double> &parts : parts_) parts.assign(static_cast<std::size_t>(team), 1.0 / team);
}

Balance::Balance(std::vector<double> rows, std::vector<double> weights) : parts_{std::move(rows), std::move(weights)}, given_(true) {
    for (std::vector<double> &parts : parts_) {
        const bool positive = std::all_of(parts.begin(), parts.end(), [](double part) { return part > 0; });
        if (parts.empty() || parts.size() != parts_[0].size() || !positive || !std::isfinite(sum(parts)))
            throw std::invalid_argument("parts must be two lists, of rows and of weights, with a positive finite number for each thread");
        make_sum_one(parts);
    }
}

double Balance::before(Work work, int thread) const {
    const std::vector<double> &all = of(parts_, work);
    return thread == team() ? 1 : std::accumulate(all.begin(), all.begin() + thread, 0.0);
}

Index Balance::first(Work work, Index n, int thread) const {
    const Index nearest = static_cast<Index>(static_cast<double>(n) * before(work, thread) + 0.5);
    return n < team() ? nearest : std::clamp<Index>(nearest, thread, n - (team() - thread));
}

bool Balance::follow(const std::vector<Timesheet> &sheets, const ByThread &had) {
    bool moved = false;
    // Who has lost all of its part in nearly every step is slow, and nobody knows how slow: the others take over from it.
    const auto known = [](const Timesheet &sheet) { return sheet.steps() >= Timesheet::fewest_steps; };
    if (given_ || !std::all_of(sheets.begin(), sheets.end(), known)) return moved;
    for (const Work work : {Work::rows, Work::weights}) {
        const std::vector<double> &taken = of(had, work);
        std::vector<double> seconds;
        for (const Timesheet &sheet : sheets) seconds.push_back(sheet.median(work));
        const double equal = 1.0 / team(), mean = equal * sum(seconds);
        if (!(mean > 0) || *std::max_element(seconds.begin(), seconds.end()) < (1 + worthwhile) * mean) continue;
        std::vector<double> &parts = parts_[static_cast<std::size_t>(work)];
        for (std::size_t t = 0; t < parts.size(); ++t) {
            const double lead = 1 - seconds[t] / mean, scale = lead > 0 ? equal : std::min(equal, taken[t]);
            // Who had nothing to do gets a little more, until it has.
            parts[t] = std::max(least * equal, taken[t] > 0 ? taken[t] + gain * scale * lead : growth * parts[t]);
        }
        make_sum_one(parts);
        moved = true;
    }
    return moved;
}

} // namespace ganglion
