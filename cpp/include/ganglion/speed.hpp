// What the machine can do at best, measured: the roofs that a training step is held against.
#pragma once
#include "ganglion/context.hpp"

namespace ganglion {

// Floating-point operations a second of fused multiply-adds in registers, two each, on all threads of the team: the best of
// many runs of a millisecond within so many seconds.
template <class T> double measured_peak(const Context &context, double seconds);

// Seconds for one optimizer update of so many parameters, a share a thread: the best of as many runs as the time allows, three
// at least. The gradient is a row in cache, as it is in a training step, so that only weights and moments are streamed.
template <class T> double measured_update(const Context &context, const std::string &optimizer, Index parameters, double seconds);

} // namespace ganglion
