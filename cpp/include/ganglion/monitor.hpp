// What the layers looked like at some of the steps: gradients, weights and outputs, gathered on the way.
#pragma once
#include "ganglion/workspace.hpp"
#include <cstdint>

namespace ganglion {

// Of a stage at a step; NaN where it has no parameters.
enum class Quantity {
    gradient_norm, // ‖∂L/∂(W, b)‖ of the batch, before clipping
    weight_norm,   // ‖(W, b)‖ before the step
    update_ratio,  // ‖change of (W, b)‖ / weight_norm
    zeros,         // share of the outputs that are 0
    saturated,     // share of the outputs within a hundredth of an end of the activation's range
    dead,          // share of the units whose output is 0 for every row of the batch; NaN for less than 16 rows
};
constexpr Index quantities = 6;

struct Monitor {
    Index every;                      // optimizer steps from one look to the next
    std::vector<std::uint64_t> steps; // that were looked at
    std::vector<double> values;       // (steps, stages, quantities)
    std::vector<double> losses;       // of every batch, looked at or not
    bool due(std::uint64_t step) const { return step % static_cast<std::uint64_t>(every) == 0; }
    // Steps before the next look.
    Index left(std::uint64_t step) const { return (every - static_cast<Index>(step % static_cast<std::uint64_t>(every))) % every; }
};

// A step that was made: what it left in a workspace for `rows` rows, and the gradients in it, `scale` times as large as the batch's.
template <class T> struct Observation {
    const Kernels<T> &kernels;
    const Architecture &net;
    const Workspace<T> &space;
    Index rows;
    const Buffer<T> &gradients;
    double scale;
    const Buffer<T> &after; // the parameters
};

// Adds a look at the step to the monitor. `before` holds the parameters from before it, and then what it changed them by.
template <class T> void observe(Monitor &monitor, std::uint64_t step, const Observation<T> &made, Buffer<T> &before);

} // namespace ganglion
