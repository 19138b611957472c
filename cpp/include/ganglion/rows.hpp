// Work on panels of batch rows: gather, forward, loss, backward.
#pragma once
#include "ganglion/workspace.hpp"

namespace ganglion {

// The batch of the epoch's rows from `first` on.
template <class T> void set_batch(Step<T> &step, Index first, Index rows);
template <class T> void gather_rows(const Step<T> &step, Index row, Index rows, Scratch<T> &scratch);
// Whether the largest |x| of a batch that is there may be looked for beside the first product, where that takes whole rows, and not in
// gather_rows: of a wide batch that a core's own cache holds with the next one and the weights (else the look by itself, from row to row,
// brings it there: 128 rows of 784 took 1 to 3 % longer), and of so few columns that no zeros are left out, which would pay by more.
template <class T> bool may_look_beside(const Step<T> &step);
// Some rows of the batch that begins at `first` into one of the workspace's two; the largest |x|.
template <class T> T gather_into(const Step<T> &step, int slot, Index first, Index row, Index rows);
// The same beside the products that follow, and not looked at: begun here, finished by the scratch's `copying`.
template <class T> void copy_beside(const Step<T> &step, int slot, Index first, Index row, Index rows, Scratch<T> &scratch);
// Some rows and columns of one stage's output.
template <class T> void forward_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);
// Rows through all stages.
template <class T> void forward_rows(const Step<T> &step, Index row, Index rows, Scratch<T> &scratch);
template <class T> void loss_rows(const Step<T> &step, Index row, Index rows, Scratch<T> &scratch);
// dz of the stage below a stage, for some rows and columns.
template <class T> void backward_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);
// Rows through the last stage, the loss and the input gradient of that stage.
template <class T> void output_rows(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);
// From the gradient of the last stage's output, lying in its d, to dz of every stage, or as far as `back_rows` goes.
template <class T> void backward_rows(const Step<T> &step, Index row, Index rows, Scratch<T> &scratch);
// Where rows that begin with stage `s` have to wait for all others: the next normalization over the batch, or the end.
Index part_end(const Architecture &net, Index s);
// Rows through the stages first … end - 1.
template <class T> void forward_part(const Step<T> &step, Index first, Index end, Index row, Index rows, Scratch<T> &scratch);
// Rows through everything from a stage on: gather before the first, forward, loss and the input gradients of all stages.
// Where a normalization over the batch needs all rows before it can go on, forward or back, this ends.
template <class T> void all_rows(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);
// Rows back from a normalization over the batch, to the next or the first stage.
template <class T> void back_rows(const Step<T> &step, const Unit &unit, Scratch<T> &scratch);

// 1 / B, or 1 / (B · O) for a loss averaged over elements.
template <class T> T loss_scale(const LossKernels<T> &loss, Index rows, Index columns);

} // namespace ganglion
