#include "ganglion/phases.hpp"
#include "ganglion/leaves.hpp"
#include "ganglion/matmul.hpp"

namespace ganglion {
namespace {

constexpr Index kernel_tile = kernel_tile_rows * kernel_tile_columns; // elements

template <class T> void keep_largest(T &largest, T value) {
    if (value > largest || value != value) largest = value;
}

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

template <class T> MatrixView<T> view(Buffer<T> &buffer, Index row, Index rows, Index column, Index columns, Index width) {
    const Index stride = row_stride(width);
    return {buffer.data() + row * stride + column, rows, columns, stride};
}

template <class T> MatrixView<const T> constant(MatrixView<T> x) { return {x.data, x.rows, x.columns, x.stride}; }

template <class T> MatrixView<const T> batch_rows(const Step<T> &step, Index row, Index rows) {
    if (!step.order)
        if (const auto x = rows_in_place<T>(step.feed->x, step.first + row, rows); x.data) return x;
    return constant(view(step.workspace->x, row, rows, 0, step.net->inputs, step.net->inputs));
}

// What stage `s` reads: (rows, I).
template <class T> MatrixView<const T> input_rows(const Step<T> &step, Index s, Index row, Index rows) {
    if (s == 0) return batch_rows(step, row, rows);
    const Index width = step.net->stages[at(s)].inputs;
    return constant(view(step.workspace->h[at(s - 1)], row, rows, 0, width, width));
}

template <class T> void copy_columns(MatrixView<const T> from, Index column, MatrixView<T> to) {
    for (Index r = 0; r < to.rows; ++r) std::copy_n(from.data + r * from.stride + column, to.columns, to.data + r * to.stride);
}

// h = f(x · W + b) for some rows and columns of a stage.
template <class T> void forward_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const auto [s, row, rows, column, columns] = unit;
    const Stage &stage = step.net->stages[at(s)];
    Workspace<T> &space = *step.workspace;
    const MatrixView<T> h = view(space.h[at(s)], row, rows, column, columns, stage.outputs);
    const MatrixView<T> z = stage.needs == Needs::input ? view(space.z[at(s)], row, rows, column, columns, stage.outputs) : h;
    const MatrixView<const T> x = input_rows(step, s, row, rows);
    const T *values = step.parameters->values.data();
    if (stage.kernel >= 0) {
        const Parameter &w = step.net->parameters[at(stage.kernel)];
        multiply(*step.kernels, x, {values + w.offset + column, w.rows, columns, w.stride}, z);
    } else {
        copy_columns(x, column, z);
    }
    const T *bias = stage.bias >= 0 ? values + step.net->parameters[at(stage.bias)].offset + column : nullptr;
    keep_largest(scratch.notes.output[at(s)], step.kernels->activations[stage.activation].forward(z, bias, h, static_cast<T>(stage.alpha)));
}

template <class T> void through_activation(const Step<T> &step, Index s, MatrixView<T> d, Index row, Index column, Scratch<T> &scratch) {
    const Stage &stage = step.net->stages[at(s)];
    Buffer<T> &kept = stage.needs == Needs::input ? step.workspace->z[at(s)] : step.workspace->h[at(s)];
    const MatrixView<T> saved = view(kept, row, d.rows, column, d.columns, stage.outputs);
    keep_largest(scratch.notes.delta[at(s)],
                 step.kernels->activations[stage.activation].backward(d, constant(saved), static_cast<T>(stage.alpha)));
}

// dz of the stage below: (dz · Wᵀ) · f'.
template <class T> void backward_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const auto [s, row, rows, column, columns] = unit;
    const Stage &stage = step.net->stages[at(s)];
    Workspace<T> &space = *step.workspace;
    const MatrixView<T> dz = view(space.d[at(s)], row, rows, 0, stage.outputs, stage.outputs);
    const MatrixView<T> dx = view(space.d[at(s - 1)], row, rows, column, columns, stage.inputs);
    if (stage.kernel >= 0) {
        const T *transposed = step.parameters->transposed.data() + stage.transposed;
        multiply(*step.kernels, constant(dz), {transposed + column, stage.outputs, columns, row_stride(stage.inputs)}, dx);
    } else {
        copy_columns(constant(dz), column, dx);
    }
    through_activation(step, s - 1, dx, row, column, scratch);
}

template <class T> void note_metrics(const Step<T> &step, MatrixView<const T> output, Index row, Scratch<T> &scratch) {
    for (std::size_t m = 0; m < step.metrics->size(); ++m) {
        T *result = step.workspace->metrics[m].data() + row;
        const Index n = output.rows;
        if (output.columns == 1 && step.feed->labels.empty()) { // one output: above a half or not
            for (Index r = 0; r < n; ++r) {
                const Index target = step.order ? step.order[step.first + row + r] : step.first + row + r;
                result[r] = (output.data[r * output.stride] > T(0.5)) == (step.feed->values[target * step.feed->stride] > T(0.5));
            }
            continue;
        }
        step.kernels->argmax(output, scratch.argmax.data());
        for (Index r = 0; r < n; ++r) {
            const Index target = step.order ? step.order[step.first + row + r] : step.first + row + r;
            std::int32_t label = 0;
            if (step.feed->labels.empty())
                step.kernels->argmax({step.feed->values.data() + target * step.feed->stride, 1, output.columns, step.feed->stride}, &label);
            else label = step.feed->labels[at(target)];
            result[r] = scratch.argmax[at(r)] == label;
        }
    }
}

// dw of a tile over the whole batch into slot 0 of the scratch, db of its columns with the tile's first rows.
template <class T> void gradient_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const auto [s, row, rows, column, columns] = unit;
    const Stage &stage = step.net->stages[at(s)];
    const Kernels<T> &kernels = *step.kernels;
    const Index stride = round_up(columns, padding), whole = whole_vectors(kernels, columns);
    const bool with_bias = stage.bias >= 0 && row == 0;
    const auto tile = [&](Index slot) { return scratch.kernel_tiles.data() + slot * kernel_tile; };
    const auto bias = [&](Index slot) { return scratch.bias_tiles.data() + slot * kernel_tile_columns; };
    sum_leaves(
        step.rows,
        [&](Index slot, Index first, Index count) {
            MatrixView<const T> x = input_rows(step, s, first, count);
            x.data += row;
            x.columns = rows;
            const MatrixView<T> dz = view(step.workspace->d[at(s)], first, count, column, whole, stage.outputs);
            multiply_transposed(kernels, x, constant(dz), MatrixView<T>{tile(slot), rows, columns, stride});
            if (with_bias) kernels.column_sums(constant(dz), bias(slot));
        },
        [&](Index to, Index from) {
            kernels.add(tile(to), tile(from), rows * stride);
            if (with_bias) kernels.add(bias(to), bias(from), whole);
        });
}

// The optimizer on a block of one parameter, its gradient lying at `g`.
template <class T>
void update_block(const Step<T> &step, const Parameter &parameter, Index row, Index rows, Index column, Index columns, const T *g,
                  Index g_stride, Scratch<T> &scratch) {
    const Index offset = parameter.offset + row * parameter.stride + column;
    const MatrixView<T> w{step.parameters->values.data() + offset, rows, whole_vectors(*step.kernels, columns), parameter.stride};
    const auto moment = [&](int i) { return step.moments[i] ? step.moments[i] + offset : nullptr; };
    keep_largest(scratch.notes.weight, step.optimizer->update(w, {g, rows, w.columns, g_stride}, moment(0), moment(1), step.constants));
}

template <class T> void transpose_tile(const Kernels<T> &kernels, const Architecture &net, Parameters<T> &parameters, const Unit &unit) {
    const Stage &stage = net.stages[at(unit.stage)];
    if (stage.transposed < 0) return;
    const Parameter &w = net.parameters[at(stage.kernel)];
    const Index stride = row_stride(stage.inputs);
    kernels.transpose({parameters.values.data() + w.offset + unit.row * w.stride + unit.column, unit.rows, unit.columns, w.stride},
                      parameters.transposed.data() + stage.transposed + unit.column * stride + unit.row, stride);
}

// The optimizer on a tile of a kernel and, with its first rows, on the bias of its columns; then Wᵀ.
template <class T> void apply_tile(const Step<T> &step, const Unit &unit, const T *g, Index g_stride, const T *db, Scratch<T> &scratch) {
    const Stage &stage = step.net->stages[at(unit.stage)];
    update_block(step, step.net->parameters[at(stage.kernel)], unit.row, unit.rows, unit.column, unit.columns, g, g_stride, scratch);
    if (stage.bias >= 0 && unit.row == 0)
        update_block(step, step.net->parameters[at(stage.bias)], 0, 1, unit.column, unit.columns, db, unit.columns, scratch);
    transpose_tile(*step.kernels, *step.net, *step.parameters, unit);
}

template <class T> void update_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    gradient_tile(step, unit, scratch);
    apply_tile<T>(step, unit, scratch.kernel_tiles.data(), round_up(unit.columns, padding), scratch.bias_tiles.data(), scratch);
}

template <class T> void store_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    gradient_tile(step, unit, scratch);
    const Stage &stage = step.net->stages[at(unit.stage)];
    const Parameter &w = step.net->parameters[at(stage.kernel)];
    T *gradients = step.workspace->gradients.data();
    const MatrixView<const T> tile{scratch.kernel_tiles.data(), unit.rows, unit.columns, round_up(unit.columns, padding)};
    copy_columns(tile, 0, MatrixView<T>{gradients + w.offset + unit.row * w.stride + unit.column, unit.rows, unit.columns, w.stride});
    T &largest = scratch.notes.gradient[at(unit.stage)];
    keep_largest(largest, step.kernels->largest(tile));
    if (stage.bias < 0 || unit.row > 0) return;
    const MatrixView<const T> bias{scratch.bias_tiles.data(), 1, unit.columns, unit.columns};
    copy_columns(bias, 0,
                 MatrixView<T>{gradients + step.net->parameters[at(stage.bias)].offset + unit.column, 1, unit.columns, unit.columns});
    keep_largest(largest, step.kernels->largest(bias));
}

template <class T> void apply_stored_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const Stage &stage = step.net->stages[at(unit.stage)];
    const Parameter &w = step.net->parameters[at(stage.kernel)];
    const T *gradients = step.workspace->gradients.data();
    const T *db = stage.bias >= 0 ? gradients + step.net->parameters[at(stage.bias)].offset + unit.column : nullptr;
    apply_tile(step, unit, gradients + w.offset + unit.row * w.stride + unit.column, w.stride, db, scratch);
}

template <class T> void add_thread(Workspace<T> &space, const Architecture &net, Index rows) {
    Scratch<T> &scratch = space.threads.emplace_back();
    scratch.argmax.resize(at(rows));
    for (Notes<T> *notes : {&scratch.notes, &scratch.merged})
        for (auto *values : {&notes->output, &notes->delta, &notes->gradient}) values->resize(net.stages.size());
}

template <class T> void all_rows(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    gather_rows(step, unit.row, unit.rows, scratch);
    forward_rows(step, unit.row, unit.rows, scratch);
    loss_rows(step, unit.row, unit.rows, scratch);
    for (Index s = static_cast<Index>(step.net->stages.size()) - 1; s > 0; --s)
        backward_tile(step, {s, unit.row, unit.rows, 0, step.net->stages[at(s)].inputs}, scratch);
}

} // namespace

template <class T> void Notes<T>::reset() {
    input = loss = 0;
    for (auto *values : {&output, &delta, &gradient}) std::fill(values->begin(), values->end(), T(0));
}

template <class T> void Notes<T>::merge_rows(const Notes &other) {
    keep_largest(input, other.input);
    keep_largest(loss, other.loss);
    for (std::size_t s = 0; s < output.size(); ++s) {
        keep_largest(output[s], other.output[s]);
        keep_largest(delta[s], other.delta[s]);
    }
}

template <class T> void gather_rows(const Step<T> &step, Index row, Index rows, Scratch<T> &scratch) {
    if (!step.order)
        if (const auto x = rows_in_place<T>(step.feed->x, step.first + row, rows); x.data) {
            keep_largest(scratch.notes.input, step.kernels->largest(x));
            return;
        }
    const Index inputs = step.net->inputs, first = step.first + row;
    keep_largest(scratch.notes.input, gather(*step.kernels, step.feed->x, step.order ? step.order + first : nullptr, first,
                                             view(step.workspace->x, row, rows, 0, inputs, inputs)));
}

template <class T> void forward_rows(const Step<T> &step, Index row, Index rows, Scratch<T> &scratch) {
    for (Index s = 0; s < static_cast<Index>(step.net->stages.size()); ++s)
        forward_tile(step, {s, row, rows, 0, step.net->stages[at(s)].outputs}, scratch);
}

template <class T> void loss_rows(const Step<T> &step, Index row, Index rows, Scratch<T> &scratch) {
    const Index last = static_cast<Index>(step.net->stages.size()) - 1, outputs = step.net->outputs, first = step.first + row;
    const MatrixView<const T> output = constant(view(step.workspace->h[at(last)], row, rows, 0, outputs, outputs));
    const MatrixView<T> d = view(step.workspace->d[at(last)], row, rows, 0, outputs, outputs);
    const Feed<T> &feed = *step.feed;
    const Targets<T> targets{feed.labels.data(), feed.values.data(), feed.stride, step.order ? step.order + first : nullptr, first};
    T largest_loss = 0;
    step.loss->gradient(output, targets, d, step.loss_scale, step.workspace->losses.data() + row, &largest_loss);
    keep_largest(scratch.notes.loss, largest_loss);
    note_metrics(step, output, row, scratch);
    through_activation(step, last, d, row, 0, scratch);
}

template <class T> void run_unit(PhaseKind kind, const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    switch (kind) {
    case PhaseKind::rows: return all_rows(step, unit, scratch);
    case PhaseKind::gather: return gather_rows(step, unit.row, unit.rows, scratch);
    case PhaseKind::forward: return forward_tile(step, unit, scratch);
    case PhaseKind::loss: return loss_rows(step, unit.row, unit.rows, scratch);
    case PhaseKind::backward: return backward_tile(step, unit, scratch);
    case PhaseKind::update: return update_tile(step, unit, scratch);
    case PhaseKind::gradients: return store_tile(step, unit, scratch);
    case PhaseKind::apply: return apply_stored_tile(step, unit, scratch);
    }
}

template <class T> void refresh_transposed(const Kernels<T> &kernels, const Architecture &net, Parameters<T> &parameters) {
    if (parameters.transposed_version == parameters.version) return;
    for (std::size_t s = 0; s < net.stages.size(); ++s)
        if (net.stages[s].kernel >= 0)
            transpose_tile(kernels, net, parameters, {static_cast<Index>(s), 0, net.stages[s].inputs, 0, net.stages[s].outputs});
    parameters.transposed_version = parameters.version;
}

template <class T> T loss_scale(const LossKernels<T> &loss, Index rows, Index columns) {
    return static_cast<T>(1.0 / static_cast<double>(loss.per_element ? rows * columns : rows));
}

template <class T> Workspace<T> make_forward_workspace(const Architecture &net, Index rows) {
    Workspace<T> space;
    space.capacity = rows;
    space.x = Buffer<T>(checked_product(rows, row_stride(net.inputs)));
    for (const Stage &stage : net.stages) {
        const Index size = checked_product(rows, row_stride(stage.outputs));
        space.h.emplace_back(size);
        space.z.emplace_back(stage.needs == Needs::input ? size : 0);
    }
    add_thread(space, net, rows);
    return space;
}

template <class T> Workspace<T> make_loss_workspace(const Architecture &net, Index rows, std::size_t metrics) {
    Workspace<T> space = make_forward_workspace<T>(net, rows);
    for (const Stage &stage : net.stages) space.d.emplace_back(checked_product(rows, row_stride(stage.outputs)));
    space.losses = Buffer<T>(rows);
    for (std::size_t m = 0; m < metrics; ++m) space.metrics.emplace_back(rows);
    return space;
}

template <class T>
Workspace<T> make_workspace(const Architecture &net, Index rows, int team, std::size_t metrics, bool stored) {
    Workspace<T> space = make_loss_workspace<T>(net, rows, metrics);
    space.gradients = Buffer<T>(stored ? net.parameter_elements : 0);
    while (static_cast<int>(space.threads.size()) < team) add_thread(space, net, rows);
    for (Scratch<T> &scratch : space.threads) {
        scratch.kernel_tiles = Buffer<T>(kernel_tile * tree_slots(rows));
        scratch.bias_tiles = Buffer<T>(kernel_tile_columns * tree_slots(rows));
    }
    return space;
}

template struct Notes<float>;
template void run_unit(PhaseKind, const Step<float> &, const Unit &, Scratch<float> &);
template void gather_rows(const Step<float> &, Index, Index, Scratch<float> &);
template void forward_rows(const Step<float> &, Index, Index, Scratch<float> &);
template void loss_rows(const Step<float> &, Index, Index, Scratch<float> &);
template void refresh_transposed(const Kernels<float> &, const Architecture &, Parameters<float> &);
template float loss_scale(const LossKernels<float> &, Index, Index);
template Workspace<float> make_forward_workspace(const Architecture &, Index);
template Workspace<float> make_loss_workspace(const Architecture &, Index, std::size_t);
template Workspace<float> make_workspace(const Architecture &, Index, int, std::size_t, bool);
template struct Notes<double>;
template void run_unit(PhaseKind, const Step<double> &, const Unit &, Scratch<double> &);
template void gather_rows(const Step<double> &, Index, Index, Scratch<double> &);
template void forward_rows(const Step<double> &, Index, Index, Scratch<double> &);
template void loss_rows(const Step<double> &, Index, Index, Scratch<double> &);
template void refresh_transposed(const Kernels<double> &, const Architecture &, Parameters<double> &);
template double loss_scale(const LossKernels<double> &, Index, Index);
template Workspace<double> make_forward_workspace(const Architecture &, Index);
template Workspace<double> make_loss_workspace(const Architecture &, Index, std::size_t);
template Workspace<double> make_workspace(const Architecture &, Index, int, std::size_t, bool);

} // namespace ganglion
