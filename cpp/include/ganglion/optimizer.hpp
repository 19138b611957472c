// What an optimizer is told, and the constants its kernel reads at each step: a table. A new optimizer is one row in
// optimizer.cpp beside its kernel.
#pragma once
#include "ganglion/state.hpp"
#include <array>
#include <string>
#include <type_traits>

namespace ganglion {

struct OptimizerDescription {
    std::string name;                       // a row of the kernel sets' table
    double momentum, beta1, beta2, epsilon; // RMSprop's ρ is beta2
    double weight_decay;
    double initial_accumulator = 0;       // of the first moment
    double clip_norm = 0, clip_value = 0; // 0: none
};

using Constants = std::array<double, most_constants>;

// The largest magnitudes that an update can reach.
struct Reach {
    double gradient; // |dw + weight decay · w|, or |dw| where the decay is decoupled
    double moment;   // |first moment| after the update
    double update;   // |change of w|
};

// What is known before an update: bounds of |dw|, |w| and |first moment|.
struct Largest {
    double gradient, weight, moment;
};

struct OptimizerRule {
    const char *name;
    bool divides; // by a root that may be 0, and ε
    // Of the update that follows `cursor`, whose powers of β are those of the steps made so far. In double.
    Constants (*constants)(const OptimizerDescription &optimizer, double learning_rate, const Cursor &cursor);
    Reach (*reach)(const OptimizerDescription &optimizer, const Constants &constants, const Largest &before);
};

// Throws std::invalid_argument, listing the known names.
const OptimizerRule &find_optimizer(std::string_view name);

// Below these bounds gradients have finite squares, and weights, moments and updates finite sums.
template <class T> bool bounded(const Reach &after, double largest_weight) {
    constexpr bool narrow = std::is_same_v<T, float>;
    constexpr double gradient_bound = narrow ? 0x1p63 : 0x1p511, weight_bound = narrow ? 0x1p120 : 0x1p1000;
    return after.gradient < gradient_bound && after.moment < weight_bound && after.update < weight_bound && largest_weight < weight_bound;
}

// βᵗ → βᵗ⁺¹.
void advance(const OptimizerDescription &optimizer, Cursor &cursor);

} // namespace ganglion
