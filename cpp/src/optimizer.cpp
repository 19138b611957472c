#include "ganglion/optimizer.hpp"
#include <algorithm>
#include <cmath>

namespace ganglion {

std::array<double, most_constants> constants(const OptimizerDescription &optimizer, double learning_rate, const Cursor &cursor) {
    if (optimizer.name != "adam") return {learning_rate, optimizer.weight_decay, optimizer.momentum};
    // Kingma & Ba, Algorithm 1, both bias corrections folded into two scalars: one division and one root a parameter.
    const double correction1 = 1 - cursor.beta1_power * optimizer.beta1, correction2 = 1 - cursor.beta2_power * optimizer.beta2;
    return {learning_rate / correction1, optimizer.weight_decay,     optimizer.beta1,  1 - optimizer.beta1, optimizer.beta2,
            1 - optimizer.beta2,         1 / std::sqrt(correction2), optimizer.epsilon};
}

Reach reach(const OptimizerDescription &optimizer, const std::array<double, most_constants> &constants, double largest_gradient,
            double largest_weight, double largest_moment) {
    const double rate = std::abs(constants[0]), gradient = largest_gradient + std::abs(optimizer.weight_decay) * largest_weight;
    if (optimizer.name == "sgd") return {gradient, 0, rate * gradient};
    if (optimizer.name == "adam") {
        const double moment = std::max(largest_moment, gradient); // an average
        return {gradient, moment, rate * moment / optimizer.epsilon};
    }
    const double mu = std::abs(optimizer.momentum), moment = mu * largest_moment + gradient;
    return {gradient, moment, optimizer.name == "nesterov" ? rate * (mu * moment + gradient) : rate * moment};
}

void advance(const OptimizerDescription &optimizer, Cursor &cursor) {
    cursor.beta1_power *= optimizer.beta1;
    cursor.beta2_power *= optimizer.beta2;
}

} // namespace ganglion
