// Batches that need no conversion, read as they are: what a loop over small steps pays for its arguments.
#pragma once
#include "arrays.hpp"
#include "ganglion/architecture.hpp"

namespace ganglion::bindings {

// Fills `source` with x (n, columns), n > 0, read where it lies. False where x is not an array that can be taken as it is.
bool read_features(const py::handle &x, Index columns, Source &source);

// What rows of values must hold beside finite numbers.
enum class ValueRule { any, unit, distribution }; // anything; numbers in [0, 1]; none negative, sum 1

// Fills `feed`, whose memory serves batch after batch, with x (n, I), read where it lies, and y: labels (n,) or (n, 1), or values
// (n, O). False where one of them is not an array that can be taken as it is or does not fit the network: whoever has more time
// may then say what is wrong, or convert it.
template <class T>
bool read_batch(const py::handle &x, const py::handle &y, const Architecture &net, TargetKind target, ValueRule rule, Feed<T> &feed);

} // namespace ganglion::bindings
