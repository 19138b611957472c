#include "ganglion/optimizer.hpp"
#include <cmath>

namespace ganglion {

std::array<double, most_constants> constants(const OptimizerDescription &optimizer, double learning_rate, const Cursor &cursor) {
    if (optimizer.name != "adam") return {learning_rate, optimizer.weight_decay, optimizer.momentum};
    // Kingma & Ba, Algorithm 1, both bias corrections folded into two scalars: one division and one root a parameter.
    const double correction1 = 1 - cursor.beta1_power * optimizer.beta1, correction2 = 1 - cursor.beta2_power * optimizer.beta2;
    return {learning_rate / correction1, optimizer.weight_decay,    optimizer.beta1,           1 - optimizer.beta1,
            optimizer.beta2,             1 - optimizer.beta2,       1 / std::sqrt(correction2), optimizer.epsilon};
}

void advance(const OptimizerDescription &optimizer, Cursor &cursor) {
    cursor.beta1_power *= optimizer.beta1;
    cursor.beta2_power *= optimizer.beta2;
}

} // namespace ganglion
