// Regularizers: penalties l1 Σ |w| + l2 Σ w² of a parameter, added to the loss, and their gradients.
#pragma once
#include "ganglion/workspace.hpp"

namespace ganglion {

// Adds the penalty's gradient to a tile of a kernel's gradients in slot 0 of the scratch.
template <class T> void penalize_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);
// The largest |gradient| of a penalty where no weight is larger than this.
double largest_penalty_gradient(const Architecture &net, double largest_weight);

// The penalties of some rows of one parameter into `totals`, which has room for all rows of all parameters.
template <class T>
void penalty_rows(const Kernels<T> &kernels, const Architecture &net, const Parameters<T> &parameters, const Unit &unit, double *totals);
// The sum of them: in double, leaves of 128 rows, then the tree.
double penalty_of(const Buffer<double> &totals);
// Of the whole network.
template <class T> double penalty_of(const Kernels<T> &kernels, const Architecture &net, const Parameters<T> &parameters);

} // namespace ganglion
