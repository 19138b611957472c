// What an optimizer is told, and the constants its kernel reads at each step.
#pragma once
#include "ganglion/state.hpp"
#include <array>
#include <string>

namespace ganglion {

struct OptimizerDescription {
    std::string name; // a row of the kernel sets' table
    double momentum, beta1, beta2, epsilon, weight_decay;
};

constexpr Index most_constants = 8;

// The constants of the update that follows `cursor`, whose powers of β are those of the steps made so far. In double.
std::array<double, most_constants> constants(const OptimizerDescription &optimizer, double learning_rate, const Cursor &cursor);

// The largest magnitudes that an update with these constants can reach.
struct Reach {
    double gradient; // |dw + weight decay · w|
    double moment;   // |first moment| after the update
    double update;   // |change of w|
};
Reach reach(const OptimizerDescription &optimizer, const std::array<double, most_constants> &constants, double largest_gradient,
            double largest_weight, double largest_moment);

// βᵗ → βᵗ⁺¹.
void advance(const OptimizerDescription &optimizer, Cursor &cursor);

} // namespace ganglion
