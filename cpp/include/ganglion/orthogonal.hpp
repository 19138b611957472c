// Orthonormal vectors in double, from products, sums, quotients and square roots in an order of their own.
#pragma once
#include "ganglion/matrix.hpp"

#include <vector>

namespace ganglion {

// Makes the vectors, `size` elements each and at most as many, orthonormal one after the other: vector j becomes the part of
// itself that is orthogonal to those before it, of length 1. This is Q of the decomposition Q R whose R has a positive diagonal.
void orthonormalize(std::vector<double> &vectors, Index size);

} // namespace ganglion
