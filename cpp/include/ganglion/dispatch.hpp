// Which kernel sets this build has, which of them this machine can run, and the one that a name stands for.
#pragma once
#include "ganglion/kernel_set.hpp"
#include <span>
#include <string>

namespace ganglion {

std::span<const KernelSet *const> kernel_sets(); // best first
bool supported(const KernelSet &set);            // by this machine
const KernelSet &best_kernel_set();
// Throws std::invalid_argument with the known names, or Unsupported when the machine lacks the set.
const KernelSet &find_kernel_set(const std::string &name);

template <class T> const Kernels<T> &kernels_of(const KernelSet &set);
template <> inline const Kernels<float> &kernels_of(const KernelSet &set) { return set.float32; }
template <> inline const Kernels<double> &kernels_of(const KernelSet &set) { return set.float64; }

template <class Row> std::string names_of(const Row *rows) {
    std::string names;
    for (const Row *row = rows; row->name; ++row) {
        const std::string name = std::string("'") + row->name + "'";
        if (names.find(name) == std::string::npos) names += (names.empty() ? "" : ", ") + name;
    }
    return names;
}
[[noreturn]] void throw_unknown(const char *what, const std::string &name, const std::string &known);

// The row of a table that ends with a null name; throws std::invalid_argument with the known names. `what` is how the
// message calls it: "activation".
template <class Row> Index find_row(const Row *rows, const std::string &name, const char *what) {
    for (const Row *row = rows; row->name; ++row)
        if (name == row->name) return row - rows;
    throw_unknown(what, name, names_of(rows));
}

} // namespace ganglion
