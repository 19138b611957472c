#include "ganglion/rows.hpp"
#include "ganglion/dropout.hpp"
#include "ganglion/matmul.hpp"
#include "ganglion/normalization.hpp"
#include <cmath>

namespace ganglion {
namespace {

template <class T>
void through_activation(const Step<T> &step, Index s, const MatrixView<T> &d, Index row, Index column, Scratch<T> &scratch) {
    const Stage &stage = step.net->stages[at(s)];
    if (stage.operation == Operation::dropout) return; // no activation, and d is flushed where it goes on
    if (stage.needs == Needs::nothing) return;         // and nothing below is trained
    const Buffer<T> &kept = stage.needs == Needs::input ? step.workspace->z[at(s)] : step.workspace->h[at(s)];
    const MatrixView<const T> saved = read(kept, row, d.rows, column, d.columns, stage.outputs);
    keep_largest(scratch.notes.delta(at(s)), step.kernels->activations[stage.activation].backward(d, saved, static_cast<T>(stage.alpha)));
}

// Weight gradients read h and dz of all rows, on all threads. The lines of dz become a thread's own beside the longer of two products:
// the one that makes h, or the one that makes dz.
bool owned_forward(const Architecture &net, Index s) {
    const Stage &stage = net.stages[at(s)];
    if (s + 1 == static_cast<Index>(net.stages.size())) return true;
    const Stage &next = net.stages[at(s + 1)];
    return stage.needs != Needs::input && (next.kernel < 0 || stage.inputs >= next.outputs);
}

// Names the lines that a forward product, its activation or its gradient will write. The last h is read by the loss alone, and so is z,
// where it is not h, by the activation: in the plan of rows by the thread that writes them.
template <class T> void own_lines(const Step<T> &step, const Unit &unit, Product<T> &product) {
    const Stage &stage = step.net->stages[at(unit.stage)];
    const bool last = unit.stage + 1 == static_cast<Index>(step.net->stages.size()), apart = stage.needs == Needs::input && !last;
    product.others_read = true;
    product.others_read_c = !last && !apart;
    product.along_row = row_stride(stage.outputs);
    if (apart || owned_forward(*step.net, unit.stage))
        product.along = (apart ? step.workspace->h : step.workspace->d)[at(unit.stage)].data() + unit.row * product.along_row + unit.column;
}

template <class T>
void note_metrics(const Step<T> &step, const MatrixView<const T> &output, const Targets<T> &targets, Index row, Scratch<T> &scratch) {
    const MetricPanel<T> panel{step.kernels, output, targets, scratch.classes.data(), scratch.activated.data()};
    for (std::size_t m = 0; m < step.metrics->size(); ++m)
        note((*step.metrics)[m], panel, step.workspace->metrics[m].data() + row, step.workspace->capacity);
}

template <class T>
void rescale(const Kernels<T> &kernels, const MatrixView<const T> &x, const MatrixView<T> &out, double scale, double offset) {
    gather<T>(kernels, x, nullptr, 0, out, true, static_cast<T>(scale), static_cast<T>(offset));
}

// A stage's operation where it is no product, on some rows and columns.
template <class T>
void operate(const Step<T> &step, const Unit &unit, const MatrixView<const T> &x, const MatrixView<T> &z, Scratch<T> &scratch) {
    const Stage &stage = step.net->stages[at(unit.stage)];
    switch (stage.operation) {
    case Operation::product:
    case Operation::none: return copy_columns(x, 0, z);
    case Operation::dropout: return drop(step, unit, x, z, scratch);
    case Operation::batches:
    case Operation::features: return normalize(step, unit, x, z, scratch);
    case Operation::rescale: return rescale(*step.kernels, x, z, stage.scale, stage.offset);
    case Operation::host: return of_type<T>(*stage.host).forward(x, z);
    }
}

template <class T>
void operate_backward(const Step<T> &step, const Unit &unit, const MatrixView<const T> &dz, const MatrixView<T> &dx) {
    const Stage &stage = step.net->stages[at(unit.stage)];
    switch (stage.operation) {
    case Operation::product:
    case Operation::none: return copy_columns(dz, 0, dx);
    case Operation::dropout: return drop_backward(step, unit, dz, dx);
    case Operation::batches:
    case Operation::features: return normalize_backward(step, unit, dz, dx);
    case Operation::rescale: return rescale(*step.kernels, dz, dx, stage.scale, 0);
    case Operation::host:
        return of_type<T>(*stage.host)
            .backward(input_rows(step, unit.stage, unit.row, unit.rows, 0, stage.inputs),
                      read(step.workspace->h[at(unit.stage)], unit.row, unit.rows, 0, stage.outputs, stage.outputs), dz, dx);
    }
}

} // namespace

template <class T> void set_batch(Step<T> &step, Index first, Index rows) {
    step.first = first;
    step.rows = rows;
    step.x = step.order || step.net->input_scale.given ? MatrixView<const T>{} : rows_in_place<T>(step.feed->x, first, rows);
    step.in_place = step.x.data != nullptr;
    if (!step.in_place) step.x = read(step.workspace->x[step.slot], 0, rows, 0, step.net->inputs, step.net->inputs);
}

template <class T> void gather_rows(const Step<T> &step, Index row, Index rows, Scratch<T> &scratch) {
    if (step.gathered || step.looks) return;
    keep_largest(scratch.notes.input(), step.in_place || step.copied
                                            ? step.kernels->largest(input_rows(step, 0, row, rows, 0, step.net->inputs))
                                            : gather_into(step, step.slot, step.first, row, rows));
}

template <class T> bool may_look_beside(const Step<T> &step) {
    const Stage &first = step.net->stages[0];
    const Index width = step.kernels->width, bytes = step.rows * first.inputs * static_cast<Index>(sizeof(T));
    return step.kernels->looks && first.kernel >= 0 && first.inputs >= 16 * width && first.outputs >= 2 * width &&
           first.outputs < 4 * width && bytes <= step.team * near_bytes / 3;
}

template <class T> T gather_into(const Step<T> &step, int slot, Index first, Index row, Index rows) {
    const Index inputs = step.net->inputs;
    const InputScale &scale = step.net->input_scale;
    return gather(*step.kernels, step.feed->x, step.order ? step.order + first + row : nullptr, first + row,
                  view(step.workspace->x[slot], row, rows, 0, inputs, inputs), scale.given, static_cast<T>(scale.scale),
                  static_cast<T>(scale.offset));
}

template <class T> void copy_beside(const Step<T> &step, int slot, Index first, Index row, Index rows, Scratch<T> &scratch) {
    const Index inputs = step.net->inputs;
    scratch.copying.begin(step.feed->x, step.order ? step.order + first + row : nullptr, first + row,
                          view(step.workspace->x[slot], row, rows, 0, inputs, inputs));
}

// h = f(x · W + b) for some rows and columns of a stage.
template <class T> void forward_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const auto &[s, row, rows, column, columns] = unit;
    const Stage &stage = step.net->stages[at(s)];
    Workspace<T> &space = *step.workspace;
    const MatrixView<T> h = view(space.h[at(s)], row, rows, column, columns, stage.outputs);
    const MatrixView<T> z = view(stage.needs == Needs::input ? space.z[at(s)] : space.h[at(s)], row, rows, column, columns, stage.outputs);
    const T *values = step.parameters->values.data();
    if (stage.kernel >= 0) {
        const Parameter &w = step.net->parameters[at(stage.kernel)];
        Product<T> product = product_of(*step.kernels, input_rows(step, s, row, rows, 0, stage.inputs),
                                        {values + w.offset + column, w.rows, columns, w.stride}, z);
        if (step.training && step.team > 1) own_lines(step, unit, product);
        if (s == 0 && step.looks) {
            scratch.seen = {};
            product.seen = &scratch.seen;
        }
        scratch.counts.sparse_products += multiply(*step.kernels, product, z.columns, step.finite);
        if (product.seen) keep_largest(scratch.notes.input(), largest_of(*step.kernels, product));
    } else {
        operate(step, unit, input_rows(step, s, row, rows, column, columns), z, scratch);
        if (stage.operation == Operation::dropout) return;
    }
    const T *bias = stage.bias >= 0 ? values + step.net->parameters[at(stage.bias)].offset + column : nullptr;
    keep_largest(scratch.notes.output(at(s)), step.kernels->activations[stage.activation].forward(z, bias, h, static_cast<T>(stage.alpha)));
}

Index part_end(const Architecture &net, Index s) {
    const Index count = static_cast<Index>(net.stages.size());
    do ++s;
    while (s < count && !over_batch(net.stages[at(s)]));
    return s;
}

template <class T> void forward_part(const Step<T> &step, Index first, Index end, Index row, Index rows, Scratch<T> &scratch) {
    for (Index s = first; s < end; ++s) forward_tile(step, {s, row, rows, 0, step.net->stages[at(s)].outputs}, scratch);
}

template <class T> void forward_rows(const Step<T> &step, Index row, Index rows, Scratch<T> &scratch) {
    forward_part(step, 0, static_cast<Index>(step.net->stages.size()), row, rows, scratch);
}

// As a loss kernel's gradient.
template <class T>
T host_gradient(const Step<T> &step, const MatrixView<const T> &output, const Targets<T> &targets, const MatrixView<T> &d, T *losses,
                T &largest_loss) {
    of_type<T> (*step.host)(output, targets, losses, d);
    T largest = 0;
    for (Index r = 0; r < d.rows; ++r) {
        const T weight = targets.weights ? targets.weights[targets.rows ? targets.rows[r] : targets.first + r] : T(1);
        losses[r] *= weight;
        keep_largest(largest_loss, std::abs(losses[r]));
        const T scale = step.loss_scale * weight;
        for (Index c = 0; c < d.columns; ++c) {
            T &element = d.data[r * d.stride + c];
            element *= scale;
            if (std::abs(element) < std::numeric_limits<T>::min()) element = 0;
            keep_largest(largest, std::abs(element));
        }
    }
    return largest;
}

template <class T> void loss_rows(const Step<T> &step, Index row, Index rows, Scratch<T> &scratch) {
    const Index last = static_cast<Index>(step.net->stages.size()) - 1, outputs = step.net->outputs, first = step.first + row;
    const MatrixView<const T> output = read(step.workspace->h[at(last)], row, rows, 0, outputs, outputs);
    const MatrixView<T> d = view(step.workspace->d[at(last)], row, rows, 0, outputs, outputs);
    const Feed<T> &feed = *step.feed;
    const Targets<T> targets{feed.labels.empty() ? nullptr : feed.labels.data(),
                             feed.values.data(),
                             feed.stride,
                             step.order ? step.order + first : nullptr,
                             first,
                             feed.weights.data()};
    T largest_loss = 0;
    T *losses = step.workspace->losses.data() + row;
    const T largest = step.host ? host_gradient(step, output, targets, d, losses, largest_loss)
                                : step.loss->gradient(output, targets, d, step.loss_scale, step.loss_parameter, losses, &largest_loss);
    keep_largest(scratch.notes.loss(), largest_loss);
    note_metrics(step, output, targets, row, scratch);
    if (step.net->stages[at(last)].linear) keep_largest(scratch.notes.delta(at(last)), largest);
    else through_activation(step, last, d, row, 0, scratch);
}

// Wᵀ of a stage. In a thread's own memory it is made when a step first needs it: a forward product has fetched what others wrote of W.
template <class T> const T *transposed_weights(const Step<T> &step, Index s, Scratch<T> &scratch) {
    const Stage &stage = step.net->stages[at(s)];
    if (!step.transposed) return step.parameters->transposed.data() + stage.transposed;
    T *const own = step.transposed + stage.transposed;
    if (scratch.stale[at(s)]) transpose_weights(*step.kernels, *step.net, stage, *step.parameters, own);
    scratch.stale[at(s)] = false;
    return own;
}

// dz of the stage below: (dz · Wᵀ) · f'.
template <class T> void backward_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const auto &[s, row, rows, column, columns] = unit;
    const Stage &stage = step.net->stages[at(s)];
    Workspace<T> &space = *step.workspace;
    const MatrixView<T> dx = view(space.d[at(s - 1)], row, rows, column, columns, stage.inputs);
    if (stage.kernel >= 0) {
        const T *const transposed = transposed_weights(step, s, scratch);
        Product<T> product = product_of(*step.kernels, read(space.d[at(s)], row, rows, 0, stage.outputs, stage.outputs),
                                        {transposed + column, stage.outputs, columns, row_stride(stage.inputs)}, dx);
        product.others_read_c = step.team > 1 && !owned_forward(*step.net, s - 1);
        scratch.counts.sparse_products += multiply(*step.kernels, product, dx.columns, step.finite);
    } else {
        operate_backward(step, unit, read(space.d[at(s)], row, rows, column, columns, stage.outputs), dx);
    }
    through_activation(step, s - 1, dx, row, column, scratch);
}

template <class T> void output_rows(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const Index last = static_cast<Index>(step.net->stages.size()) - 1;
    const Stage &stage = step.net->stages[at(last)];
    forward_tile(step, {last, unit.row, unit.rows, 0, stage.outputs}, scratch);
    loss_rows(step, unit.row, unit.rows, scratch);
    if (last > 0) backward_tile(step, {last, unit.row, unit.rows, 0, stage.inputs}, scratch);
}

template <class T> void backward_rows(const Step<T> &step, Index row, Index rows, Scratch<T> &scratch) {
    const Index last = static_cast<Index>(step.net->stages.size()) - 1, outputs = step.net->outputs;
    through_activation(step, last, view(step.workspace->d[at(last)], row, rows, 0, outputs, outputs), row, 0, scratch);
    if (!over_batch(step.net->stages.back())) back_rows(step, {last, row, rows, 0, 0}, scratch);
}

template <class T> void all_rows(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const std::vector<Stage> &stages = step.net->stages;
    const Index count = static_cast<Index>(stages.size()), end = part_end(*step.net, unit.stage);
    if (unit.stage == 0 && !over_batch(stages[0])) gather_rows(step, unit.row, unit.rows, scratch);
    forward_part(step, unit.stage, end, unit.row, unit.rows, scratch);
    if (end < count) return;
    loss_rows(step, unit.row, unit.rows, scratch);
    if (!over_batch(stages.back())) back_rows(step, {count - 1, unit.row, unit.rows, 0, 0}, scratch);
}

template <class T> void back_rows(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    for (Index s = unit.stage; s > 0; --s) {
        if (s < unit.stage && over_batch(step.net->stages[at(s)])) return;
        backward_tile(step, {s, unit.row, unit.rows, 0, step.net->stages[at(s)].inputs}, scratch);
    }
}

template <class T> T loss_scale(const LossKernels<T> &loss, Index rows, Index columns) {
    return static_cast<T>(1.0 / static_cast<double>(loss.per_element ? rows * columns : rows));
}

template void set_batch(Step<float> &, Index, Index);
template void gather_rows(const Step<float> &, Index, Index, Scratch<float> &);
template bool may_look_beside(const Step<float> &);
template float gather_into(const Step<float> &, int, Index, Index, Index);
template void copy_beside(const Step<float> &, int, Index, Index, Index, Scratch<float> &);
template void forward_tile(const Step<float> &, const Unit &, Scratch<float> &);
template void forward_part(const Step<float> &, Index, Index, Index, Index, Scratch<float> &);
template void forward_rows(const Step<float> &, Index, Index, Scratch<float> &);
template void loss_rows(const Step<float> &, Index, Index, Scratch<float> &);
template void backward_tile(const Step<float> &, const Unit &, Scratch<float> &);
template void output_rows(const Step<float> &, const Unit &, Scratch<float> &);
template void backward_rows(const Step<float> &, Index, Index, Scratch<float> &);
template void all_rows(const Step<float> &, const Unit &, Scratch<float> &);
template void back_rows(const Step<float> &, const Unit &, Scratch<float> &);
template float loss_scale(const LossKernels<float> &, Index, Index);
template void set_batch(Step<double> &, Index, Index);
template void gather_rows(const Step<double> &, Index, Index, Scratch<double> &);
template bool may_look_beside(const Step<double> &);
template double gather_into(const Step<double> &, int, Index, Index, Index);
template void copy_beside(const Step<double> &, int, Index, Index, Index, Scratch<double> &);
template void forward_tile(const Step<double> &, const Unit &, Scratch<double> &);
template void forward_part(const Step<double> &, Index, Index, Index, Index, Scratch<double> &);
template void forward_rows(const Step<double> &, Index, Index, Scratch<double> &);
template void loss_rows(const Step<double> &, Index, Index, Scratch<double> &);
template void backward_tile(const Step<double> &, const Unit &, Scratch<double> &);
template void output_rows(const Step<double> &, const Unit &, Scratch<double> &);
template void backward_rows(const Step<double> &, Index, Index, Scratch<double> &);
template void all_rows(const Step<double> &, const Unit &, Scratch<double> &);
template void back_rows(const Step<double> &, const Unit &, Scratch<double> &);
template double loss_scale(const LossKernels<double> &, Index, Index);

} // namespace ganglion
