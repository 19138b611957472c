#include "ganglion/monitor.hpp"
#include "ganglion/leaves.hpp"
#include <cmath>
#include <string_view>

namespace ganglion {
namespace {

constexpr Index enough_rows = 16; // to call a unit dead that is 0 for all of them
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// Σ x² of a parameter that lies in such a buffer.
template <class T> double squares(const Kernels<T> &kernels, const Parameter &parameter, const Buffer<T> &buffer,
                                  std::vector<double> &rows) {
    rows.resize(at(parameter.rows));
    kernels.row_squares({buffer.data() + parameter.offset, parameter.rows, parameter.columns, parameter.stride}, rows.data());
    return sum_rows(rows.data(), parameter.rows);
}

// The open interval that outputs must leave to be saturated; all numbers where the activation has no such ends.
struct Middle {
    double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
};
Middle middle_of(std::string_view activation) {
    if (activation == "sigmoid") return {0.01, 0.99};
    if (activation == "tanh") return {-0.98, 0.98};
    return {};
}

struct Shares {
    double zeros, saturated, dead;
};

template <class T> Shares shares_of(const MatrixView<const T> &h, Middle middle) {
    const T low = static_cast<T>(middle.low), high = static_cast<T>(middle.high);
    std::vector<char> alive(at(h.columns), 0);
    Index zeros = 0, saturated = 0, dead = 0;
    for (Index r = 0; r < h.rows; ++r) {
        const T *row = h.data + r * h.stride;
        for (Index c = 0; c < h.columns; ++c) {
            const T value = row[c];
            zeros += value == 0;
            saturated += !(value > low && value < high);
            alive[at(c)] |= value != 0;
        }
    }
    for (const char each : alive) dead += !each;
    const double unseen = h.rows < enough_rows ? unknown : static_cast<double>(dead) / static_cast<double>(h.columns);
    const auto all = static_cast<double>(h.rows * h.columns);
    return {static_cast<double>(zeros) / all, static_cast<double>(saturated) / all, unseen};
}

} // namespace

template <class T> void observe(Monitor &monitor, std::uint64_t step, const Observation<T> &made, Buffer<T> &before) {
    std::vector<double> rows;
    monitor.steps.push_back(step);
    for (std::size_t s = 0; s < made.net.stages.size(); ++s) {
        const Stage &stage = made.net.stages[s];
        double gradient = 0, weight = 0, change = 0;
        for (const Index p : {weight_of(stage), stage.bias}) {
            if (p < 0) continue;
            const Parameter &parameter = made.net.parameters[at(p)];
            gradient += squares(made.kernels, parameter, made.gradients, rows);
            weight += squares(made.kernels, parameter, before, rows);
            T *x = before.data() + parameter.offset;
            const T *w = made.after.data() + parameter.offset;
            for (Index i = 0; i < parameter.rows * parameter.stride; ++i) x[i] = w[i] - x[i];
            change += squares(made.kernels, parameter, before, rows);
        }
        const bool trained = weight_of(stage) >= 0 || stage.bias >= 0;
        const MatrixView<const T> h = read(made.space.h[s], 0, made.rows, 0, stage.outputs, stage.outputs);
        const Shares shares = shares_of(h, middle_of(made.kernels.activations[stage.activation].name));
        const double norms[] = {std::sqrt(gradient) / made.scale, std::sqrt(weight), std::sqrt(change) / std::sqrt(weight)};
        for (const double norm : norms) monitor.values.push_back(trained ? norm : unknown);
        monitor.values.insert(monitor.values.end(), {shares.zeros, shares.saturated, shares.dead});
    }
}

template void observe(Monitor &, std::uint64_t, const Observation<float> &, Buffer<float> &);
template void observe(Monitor &, std::uint64_t, const Observation<double> &, Buffer<double> &);

} // namespace ganglion
