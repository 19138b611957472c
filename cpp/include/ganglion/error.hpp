// The exceptions of the core. Everything else that callers can do wrong is a std::invalid_argument (Python's ValueError).
#pragma once
#include "ganglion/matrix.hpp"
#include <cstdint>
#include <stdexcept>
#include <string>

namespace ganglion {

// x holds a NaN or an infinity at [row, column] of the array that the caller passed.
struct NonFiniteInput : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

// The step would have put a NaN or an infinity into the weights; it was not made.
struct Diverged : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// `step` counts the steps made before; T is the network's type.
template <class T> [[noreturn]] void throw_diverged(const std::string &layer, const std::string &what, std::uint64_t step) {
    const std::string wider = sizeof(T) < sizeof(double) ? ", scale the inputs, or train with dtype=\"float64\"" : " or scale the inputs";
    throw Diverged("layer '" + layer + "': the " + what + " of step " + std::to_string(step + 1) +
                   " is not a finite number; the weights are those of the step before. Lower the learning rate" + wider);
}

// The machine lacks what was asked for.
struct Unsupported : std::runtime_error {
    using std::runtime_error::runtime_error;
};

} // namespace ganglion
