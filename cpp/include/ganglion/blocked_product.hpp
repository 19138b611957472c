// Products of any size at the speed of the register tiles: operands that caches and pages cannot serve as they lie are packed.
#pragma once
#include "ganglion/arena.hpp"
#include "ganglion/dispatch.hpp"

namespace ganglion {

// C (M,N) = A (M,K) · B (K,N), each element one chain over k as in every product, on a team of so many threads. Nothing
// is empty or accumulated, and C shares no memory with A and B. b_by_columns: B[k,j] lies at b[j * b_row + k].
template <class T> void multiply_blocked(const Kernels<T> &kernels, const Product<T> &product, bool b_by_columns, int team);

} // namespace ganglion
