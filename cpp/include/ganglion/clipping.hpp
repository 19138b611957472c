// Gradients held within bounds before the optimizer sees them: each element, or the norm of all together.
#pragma once
#include "ganglion/workspace.hpp"

namespace ganglion {

// Is there anything to do for this step?
template <class T> bool clips(const Step<T> &step) {
    return step.gradient_scale != T(1) || step.gradient_bound < std::numeric_limits<T>::infinity();
}

// The tile of gradients in slot 0 of the scratch, in place.
template <class T> void clip_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);
// A tile of stored gradients, and those of its columns' bias, into slot 0 of the scratch.
template <class T>
void clip_into_tile(const Step<T> &step, const Unit &unit, const T *g, Index g_stride, const T *db, Scratch<T> &scratch);

// Σ of squares of some rows of one parameter's stored gradients.
template <class T> void square_rows(const Step<T> &step, const Unit &unit);
// √Σ g² over all stored gradients, from the squares of all rows: in double, leaves of 128 rows, then the tree.
template <class T> double gradient_norm(const Step<T> &step);

} // namespace ganglion
