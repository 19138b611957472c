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

// βᵗ → βᵗ⁺¹.
void advance(const OptimizerDescription &optimizer, Cursor &cursor);

} // namespace ganglion
