// Normalization of columns over the batch: Ioffe, Szegedy, "Batch Normalization", ICML 2015, algorithms 1 and 2; and of rows over
// their columns: Ba, Kiros, Hinton, "Layer Normalization", 2016, equation 3. Variances are biased and take two passes.
//
// A normalization stage is x̂ · γ where a dense one is x · W; β is its bias. Its statistics over the batch are sums by leaves,
// whole in the unit that has the columns.
#pragma once
#include "ganglion/workspace.hpp"

namespace ganglion {

// Some columns' mean, variance and 1 / √(variance + ε) over the batch.
template <class T> void statistics_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);
// Outside training: 1 / √(moving variance + ε) of all columns, once before the threads that share the workspace read it.
template <class T> void take_moving_variances(const Step<T> &step);
// Some columns' Σ dz and Σ dz · x̂ over the batch: the gradients of β and γ, and what dx needs.
template <class T> void sums_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);

// z = γ · x̂ for some rows and columns; all columns where the statistics are the rows'.
template <class T> void normalize(const Step<T> &step, const Unit &unit, const MatrixView<const T> &x, const MatrixView<T> &z,
                                  Scratch<T> &scratch);
template <class T> void normalize_backward(const Step<T> &step, const Unit &unit, const MatrixView<const T> &dz, const MatrixView<T> &dx);

// The gradients of γ and β of some columns where gradients of a kernel and its bias would be: slot 0 of the scratch.
template <class T> void normalization_gradients(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);
// moving ← momentum · moving + (1 - momentum) · statistic of the batch; not for a batch of one row, which has no variance.
template <class T> void move_statistics(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);

} // namespace ganglion
