// Which kernel sets this build has, which of them this machine can run, and the one that a name stands for.
#pragma once
#include "ganglion/kernel_set.hpp"
#include "ganglion/table.hpp"

namespace ganglion {

std::span<const KernelSet *const> kernel_sets(); // best first
bool supported(const KernelSet &set);            // by this machine
const KernelSet &best_kernel_set();
// Throws std::invalid_argument with the known names, or Unsupported when the machine lacks the set.
const KernelSet &find_kernel_set(const std::string &name);

template <class T> const Kernels<T> &kernels_of(const KernelSet &set);
template <> inline const Kernels<float> &kernels_of(const KernelSet &set) { return set.float32; }
template <> inline const Kernels<double> &kernels_of(const KernelSet &set) { return set.float64; }

} // namespace ganglion
