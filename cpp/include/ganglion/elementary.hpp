// Logarithm, exponential and circle functions in double from additions, products and divisions alone: a libm's differ by
// CPU and release, and what they are for (initial weights, learning rates) is part of every result.
#pragma once
#include <array>
#include <cstdint>

namespace ganglion {

// log x for normal x > 0, at most 2 ULP off.
double logarithm(double x);

// eˣ, at most 2 ULP off where that is normal; 0 and infinity beyond the ends.
double exponential(double x);

// {cos, sin} of 2πu for u in [0, 1).
std::array<double, 2> circle(double u);

// xⁿ for n ≥ 0 by squaring: at most n ULP off.
double power(double x, std::int64_t n);

} // namespace ganglion
