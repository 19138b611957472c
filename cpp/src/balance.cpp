#include "ganglion/balance.hpp"
#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace ganglion {
namespace {

constexpr std::size_t fewest_samples = 4;
constexpr double worthwhile = 0.03; // of the mean time, that the slowest thread takes longer
constexpr double least = 0.25;      // of an equal part: who has less could hardly be seen to be fast again

double sum(const std::vector<double> &values) { return std::accumulate(values.begin(), values.end(), 0.0); }

void make_sum_one(std::vector<double> &parts) {
    const double all = sum(parts);
    for (double &part : parts) part /= all;
}

} // namespace

void Timesheet::end_step() {
    for (std::size_t work = 0; work < step_.size(); ++work) seconds_[work].push_back(step_[work]);
    step_ = {};
}

double Timesheet::median(Work work) const {
    std::vector<double> sorted = seconds_[static_cast<std::size_t>(work)];
    if (sorted.size() < fewest_samples) return 0;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return *middle;
}

Balance::Balance(int team) {
    for (std::vector<double> &parts : parts_) parts.assign(static_cast<std::size_t>(team), 1.0 / team);
}

Balance::Balance(std::vector<double> rows, std::vector<double> weights) : parts_{std::move(rows), std::move(weights)}, given_(true) {
    for (std::vector<double> &parts : parts_) {
        const bool positive = std::all_of(parts.begin(), parts.end(), [](double part) { return part > 0 && part < 1e9; });
        if (parts.empty() || parts.size() != parts_[0].size() || !positive)
            throw std::invalid_argument("parts must be two lists, of rows and of weights, with a positive number for each thread");
        make_sum_one(parts);
    }
}

double Balance::before(Work work, int thread) const {
    const std::vector<double> &all = parts(work);
    return thread == team() ? 1 : std::accumulate(all.begin(), all.begin() + thread, 0.0);
}

void Balance::follow(const std::vector<Timesheet> &sheets) {
    if (given_) return;
    for (const Work work : {Work::rows, Work::weights}) {
        std::vector<double> seconds;
        for (const Timesheet &sheet : sheets) seconds.push_back(sheet.median(work));
        const double mean = sum(seconds) / team();
        const auto [fastest, slowest] = std::minmax_element(seconds.begin(), seconds.end());
        if (!(*fastest > 0) || *slowest < (1 + worthwhile) * mean) continue;
        std::vector<double> &parts = parts_[static_cast<std::size_t>(work)];
        for (std::size_t t = 0; t < parts.size(); ++t) parts[t] = std::max(parts[t] * mean / seconds[t], least / team());
        make_sum_one(parts);
    }
}

} // namespace ganglion
