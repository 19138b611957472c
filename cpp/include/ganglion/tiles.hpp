// Work on tiles of a kernel: its gradient over the whole batch, and the optimizer on it.
#pragma once
#include "ganglion/workspace.hpp"

namespace ganglion {

// The lines of x that the leaf of a tile from row `first` on reads, where a batch of x is more than a core keeps. Those of dz serve all
// tiles of some columns.
template <class T> void append_leaf(const Step<T> &step, const Unit &unit, Index first, std::vector<Lines> &lines);
// The gradient of a tile, then the optimizer on it.
template <class T> void update_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);
// The gradient of a tile into the workspace's gradients.
template <class T> void store_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);
// The optimizer on stored gradients.
template <class T> void apply_stored_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);

// Writes Wᵀ of every stage that propagates gradients into the parameters' own, where these have changed since.
template <class T> void refresh_transposed(const Kernels<T> &kernels, const Architecture &net, Parameters<T> &parameters);

} // namespace ganglion
