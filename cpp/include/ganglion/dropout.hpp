// Dropout: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: A Simple Way to Prevent Neural Networks from
// Overfitting", JMLR 15, 2014, scaled in training ("inverted"), so that prediction leaves x as it is.
//
// Element (r, c) of the whole batch has number r · (O rounded up to 16) + c in the stream (seed, dropout, number of the dropout
// layer, epoch, step) and stays where its uniform number is at least the rate. Forward and backward draw it anew.
#pragma once
#include "ganglion/workspace.hpp"

namespace ganglion {

// h = x / (1 - rate) or 0 in training, else x, for some rows and columns of a dropout stage.
template <class T> void drop(const Step<T> &step, const Unit &unit, const MatrixView<const T> &x, const MatrixView<T> &h,
                             Scratch<T> &scratch);
// dx from dz likewise.
template <class T> void drop_backward(const Step<T> &step, const Unit &unit, const MatrixView<const T> &dz, const MatrixView<T> &dx);

} // namespace ganglion
