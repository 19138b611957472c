// Initial values of parameters: a table of distributions. A new initializer is one row in initializers.cpp.
#pragma once
#include "ganglion/random.hpp"

#include <string>
#include <string_view>

namespace ganglion {

struct InitializerDescription {
    std::string name;
    double first = 0, second = 0; // what the row says
};

enum class Distribution { constant, symmetric, uniform, normal, orthogonal };

struct Initializer {
    const char *name;
    Distribution distribution;
    // The constant, the symmetric distribution's limit, the uniform one's width, the standard deviation, the gain.
    double (*scale)(const InitializerDescription &description, double I, double O);
    // Where the uniform distribution begins; the mean.
    double (*location)(const InitializerDescription &description);
};

std::span<const Initializer> initializers();

// Throws std::invalid_argument, listing the known names.
const Initializer &find_initializer(std::string_view name);

// Fills w (rows, columns), padding untouched: element [r, c] is made of number r · columns + c of the stream of initial
// weights `index` (the parameter's place in the network), computed in double and rounded once. An orthogonal matrix is made of
// the whole stream.
template <class T>
void initialize(const InitializerDescription &description, MatrixView<T> w, Index fan_in, Index fan_out, std::uint64_t seed,
                std::uint32_t index);

} // namespace ganglion
