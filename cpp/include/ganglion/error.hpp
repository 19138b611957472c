// The exceptions of the core. Everything else that callers can do wrong is a std::invalid_argument (Python's ValueError).
#pragma once
#include "ganglion/matrix.hpp"
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

// The machine lacks what was asked for.
struct Unsupported : std::runtime_error {
    using std::runtime_error::runtime_error;
};

} // namespace ganglion
