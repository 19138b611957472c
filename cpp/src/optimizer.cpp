#include "ganglion/optimizer.hpp"
#include "ganglion/table.hpp"
#include <cmath>
#include <limits>

namespace ganglion {
namespace {

using Description = OptimizerDescription;

// Bounds on what rounded arithmetic can make, all far below the largest number where `run` lets them pass:
//   - an average m ← β m + (1 - β) g stays below twice the largest |g|: it is rounded upwards only while it is below
//     (1 - β) |g| / (1 - β'), β' being β in the weights' type, and the two differences are never a factor of 2 apart
//     unless β' = 1, where m stands still as soon as (1 - β) |g| is less than half its last place;
//   - a sum v ← v + g² grows by at most 2 g²: it is rounded up by at most half its last place, and only where g² is as much;
//   - with v ≥ 0 a step |g| / (√v + ε) is at most |g| / ε.
double decayed(const Description &optimizer, const Largest &before) {
    return before.gradient + std::abs(optimizer.weight_decay) * before.weight;
}

Constants plain(const Description &optimizer, double rate, const Cursor &) { return {rate, optimizer.weight_decay, optimizer.momentum}; }

Reach reach_of_sgd(const Description &optimizer, const Constants &constants, const Largest &before) {
    const double gradient = decayed(optimizer, before);
    return {gradient, 0, std::abs(constants[0]) * gradient};
}

Reach reach_of_momentum(const Description &optimizer, const Constants &constants, const Largest &before) {
    const double gradient = decayed(optimizer, before), moment = std::abs(optimizer.momentum) * before.moment + gradient;
    return {gradient, moment, std::abs(constants[0]) * moment};
}

Reach reach_of_nesterov(const Description &optimizer, const Constants &constants, const Largest &before) {
    const double gradient = decayed(optimizer, before), mu = std::abs(optimizer.momentum), moment = mu * before.moment + gradient;
    return {gradient, moment, std::abs(constants[0]) * (mu * moment + gradient)};
}

// Kingma & Ba, Algorithm 1, both bias corrections folded into two scalars: one division and one root a parameter.
Constants adam(const Description &optimizer, double rate, const Cursor &cursor) {
    const double correction1 = 1 - cursor.beta1_power * optimizer.beta1, correction2 = 1 - cursor.beta2_power * optimizer.beta2;
    return {rate / correction1,  optimizer.weight_decay,     optimizer.beta1,  1 - optimizer.beta1, optimizer.beta2,
            1 - optimizer.beta2, 1 / std::sqrt(correction2), optimizer.epsilon};
}

Reach reach_of_adam(const Description &optimizer, const Constants &constants, const Largest &before) {
    const double gradient = decayed(optimizer, before), moment = std::max(before.moment, gradient);
    return {gradient, moment, std::abs(constants[0]) * moment / optimizer.epsilon};
}

// Loshchilov & Hutter, Algorithm 2, with the rate in the decay too, as PyTorch and Keras have it.
Constants adamw(const Description &optimizer, double rate, const Cursor &cursor) {
    Constants constants = adam(optimizer, rate, cursor);
    constants[1] = rate * optimizer.weight_decay;
    return constants;
}

Reach reach_of_adamw(const Description &optimizer, const Constants &constants, const Largest &before) {
    const double moment = std::max(before.moment, before.gradient), decay = std::abs(constants[1]) * before.weight;
    return {before.gradient, moment, std::abs(constants[0]) * moment / optimizer.epsilon + decay};
}

Constants rmsprop(const Description &optimizer, double rate, const Cursor &) {
    return {rate, optimizer.weight_decay, optimizer.beta2, 1 - optimizer.beta2, optimizer.epsilon, optimizer.momentum};
}

Reach reach_of_rmsprop(const Description &optimizer, const Constants &constants, const Largest &before) {
    const double gradient = decayed(optimizer, before), moment = std::max(before.moment, gradient * gradient);
    return {gradient, moment, std::abs(constants[0]) * gradient / optimizer.epsilon};
}

// The first moment is that of the steps; that of the squares is finite where the gradients' squares are.
Reach reach_of_rmsprop_momentum(const Description &optimizer, const Constants &constants, const Largest &before) {
    const double gradient = decayed(optimizer, before);
    const double moment = std::abs(optimizer.momentum) * before.moment + gradient / optimizer.epsilon;
    return {gradient, moment, std::abs(constants[0]) * moment};
}

Constants adagrad(const Description &optimizer, double rate, const Cursor &) { return {rate, optimizer.weight_decay, optimizer.epsilon}; }

Reach reach_of_adagrad(const Description &optimizer, const Constants &constants, const Largest &before) {
    const double gradient = decayed(optimizer, before), moment = before.moment + 2 * gradient * gradient;
    return {gradient, moment, std::abs(constants[0]) * gradient / optimizer.epsilon};
}

constexpr OptimizerRule table[] = {
    {"sgd", false, plain, reach_of_sgd},
    {"momentum", false, plain, reach_of_momentum},
    {"nesterov", false, plain, reach_of_nesterov},
    {"adam", true, adam, reach_of_adam},
    {"adamw", true, adamw, reach_of_adamw},
    {"rmsprop", true, rmsprop, reach_of_rmsprop},
    {"rmsprop_momentum", true, rmsprop, reach_of_rmsprop_momentum},
    {"adagrad", true, adagrad, reach_of_adagrad},
};

} // namespace

const OptimizerRule &find_optimizer(std::string_view name) { return find_row(std::span<const OptimizerRule>(table), name, "optimizer"); }

// Powers end at 0, not among the denormals, where 0.9 times the least ones rounds to them again: a step would pay for it for ever.
void advance(const OptimizerDescription &optimizer, Cursor &cursor) {
    const auto raise = [](double power, double beta) {
        power *= beta;
        return std::abs(power) < std::numeric_limits<double>::min() ? 0 : power;
    };
    cursor.beta1_power = raise(cursor.beta1_power, optimizer.beta1);
    cursor.beta2_power = raise(cursor.beta2_power, optimizer.beta2);
}

} // namespace ganglion
