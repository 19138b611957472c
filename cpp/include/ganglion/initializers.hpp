// Initial values of parameters: a table of distributions. A new initializer is one row in initializers.cpp.
#pragma once
#include "ganglion/random.hpp"

#include <string_view>

namespace ganglion {

enum class Distribution { zeros, uniform, normal };

struct Initializer {
    const char *name;
    Distribution distribution;
    double (*scale)(double I, double O); // limit of the uniform distribution, standard deviation of the normal one
};

std::span<const Initializer> initializers();

// Throws std::invalid_argument, listing the known names.
const Initializer &find_initializer(std::string_view name);

// Fills w (rows, columns), padding untouched: element [r, c] is number r · columns + c of the stream of initial weights
// `index` (the parameter's place in the network), computed in double and rounded once.
template <class T>
void initialize(const Initializer &initializer, MatrixView<T> w, Index fan_in, Index fan_out, std::uint64_t seed, std::uint32_t index);

} // namespace ganglion
