#include "ganglion/normalization.hpp"
#include "ganglion/leaves.hpp"
#include "ganglion/matmul.hpp"
#include <cmath>
#include <limits>

namespace ganglion {
namespace {

const Stage &stage_of(const auto &step, const Unit &unit) { return step.net->stages[at(unit.stage)]; }

template <class T> T *parameter(const Step<T> &step, Index number, Index column) {
    return number < 0 ? nullptr : step.parameters->values.data() + step.net->parameters[at(number)].offset + column;
}

// A row of the statistics of a stage, from a column on.
template <class T> T *statistic(const Step<T> &step, Index s, Statistic which, Index column) {
    return step.workspace->normalized[at(s)].statistics.data() + static_cast<Index>(which) * row_stride(step.net->stages[at(s)].outputs) +
           column;
}

template <class T> MatrixView<T> normalized_rows(const Step<T> &step, const Unit &unit, Index columns) {
    return view(step.workspace->normalized[at(unit.stage)].values, unit.row, unit.rows, unit.column, columns, stage_of(step, unit).outputs);
}

template <class T> MatrixView<const T> normalized_read(const Step<T> &step, const Unit &unit, Index columns) {
    return read(step.workspace->normalized[at(unit.stage)].values, unit.row, unit.rows, unit.column, columns, stage_of(step, unit).outputs);
}

// Σ over the batch of what leaf(first, rows, out) writes for `columns` columns, in slots of a tile's columns; slot 0 has the total.
template <class T, class Leaf>
const T *sum_columns(const Step<T> &step, Buffer<T> &slots, Index tile, Index columns, Leaf leaf) {
    const auto slot = [&](Index number) { return slots.data() + number * tile; };
    sum_leaves(
        step.rows, [&](Index number, Index first, Index rows) { leaf(first, rows, slot(number)); },
        [&](Index to, Index from) { step.kernels->add(slot(to), slot(from), columns); });
    return slot(0);
}

template <class T> void invert_roots(const T *variance, double epsilon, T *root, Index columns) {
    for (Index c = 0; c < columns; ++c) root[c] = T(1) / std::sqrt(variance[c] + static_cast<T>(epsilon));
}

// γ's and β's gradients of a tile, from sums over the batch into slot 0 of both buffers of tiles.
template <class T> void sum_gradients(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const Index outputs = stage_of(step, unit).outputs, whole = whole_vectors(*step.kernels, unit.columns);
    const auto dz = [&](Index first, Index rows) {
        return read(step.workspace->d[at(unit.stage)], first, rows, unit.column, whole, outputs);
    };
    sum_columns(step, scratch.kernel_tiles, scratch.kernel_tile, whole, [&](Index first, Index rows, T *out) {
        const Unit leaf{unit.stage, first, rows, unit.column, unit.columns};
        step.kernels->normalization.products(dz(first, rows), normalized_read(step, leaf, whole), out);
    });
    sum_columns(step, scratch.bias_tiles, kernel_tile_side, whole,
                [&](Index first, Index rows, T *out) { step.kernels->column_sums(dz(first, rows), out); });
}

} // namespace

template <class T> void statistics_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const Stage &stage = stage_of(step, unit);
    const T rows = static_cast<T>(step.rows);
    T *mean = statistic(step, unit.stage, Statistic::mean, unit.column);
    T *variance = statistic(step, unit.stage, Statistic::variance, unit.column);
    const auto x = [&](Index first, Index count) { return input_rows(step, unit.stage, first, count, unit.column, unit.columns); };
    const T *sum = sum_columns(step, scratch.bias_tiles, kernel_tile_side, unit.columns,
                               [&](Index first, Index count, T *out) { step.kernels->column_sums(x(first, count), out); });
    for (Index c = 0; c < unit.columns; ++c) mean[c] = sum[c] / rows;
    sum = sum_columns(step, scratch.bias_tiles, kernel_tile_side, unit.columns,
                      [&](Index first, Index count, T *out) { step.kernels->normalization.squares(x(first, count), mean, out); });
    for (Index c = 0; c < unit.columns; ++c) {
        variance[c] = sum[c] / rows;
        keep_largest(scratch.notes.output(at(unit.stage)), variance[c] - variance[c]); // NaN where it is not finite
    }
    invert_roots(variance, stage.epsilon, statistic(step, unit.stage, Statistic::root, unit.column), unit.columns);
}

template <class T> void take_moving_variances(const Step<T> &step) {
    for (std::size_t s = 0; s < step.net->stages.size(); ++s) {
        const Stage &stage = step.net->stages[s];
        if (!over_batch(stage)) continue;
        const T *variance = parameter(step, stage.moving_variance, 0);
        invert_roots(variance, stage.epsilon, statistic(step, static_cast<Index>(s), Statistic::root, 0), stage.outputs);
    }
}

template <class T> void sums_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const Stage &stage = stage_of(step, unit);
    sum_gradients(step, unit, scratch);
    const Index whole = whole_vectors(*step.kernels, unit.columns);
    T *products = statistic(step, unit.stage, Statistic::products, unit.column),
      *sums = statistic(step, unit.stage, Statistic::sums, unit.column);
    std::copy_n(scratch.kernel_tiles.data(), whole, products);
    std::copy_n(scratch.bias_tiles.data(), whole, sums);
    const T rows = static_cast<T>(step.rows), *gamma = parameter(step, stage.gamma, unit.column);
    const T *root = statistic(step, unit.stage, Statistic::root, unit.column);
    T *factor = statistic(step, unit.stage, Statistic::factor, unit.column);
    T *slope = statistic(step, unit.stage, Statistic::slope, unit.column),
      *shift = statistic(step, unit.stage, Statistic::shift, unit.column);
    for (Index c = 0; c < unit.columns; ++c) {
        factor[c] = gamma ? gamma[c] * root[c] : root[c];
        slope[c] = step.training ? products[c] / rows : T(0); // the moving statistics do not depend on x
        shift[c] = step.training ? sums[c] / rows : T(0);
    }
}

template <class T> void normalize(const Step<T> &step, const Unit &unit, const MatrixView<const T> &x, const MatrixView<T> &z,
                                  Scratch<T> &scratch) {
    const Stage &stage = stage_of(step, unit);
    const NormalizationKernels<T> &kernels = step.kernels->normalization;
    const T *gamma = parameter(step, stage.gamma, unit.column);
    const MatrixView<T> normalized = normalized_rows(step, unit, unit.columns);
    if (stage.operation == Operation::features) {
        T *roots = step.workspace->normalized[at(unit.stage)].statistics.data() + unit.row;
        keep_largest(scratch.notes.output(at(unit.stage)), kernels.rows(x, static_cast<T>(stage.epsilon), gamma, normalized, roots, z));
        return;
    }
    const T *root = statistic(step, unit.stage, Statistic::root, unit.column);
    const T *mean =
        step.training ? statistic(step, unit.stage, Statistic::mean, unit.column) : parameter(step, stage.moving_mean, unit.column);
    kernels.columns(x, mean, root, gamma, normalized, z);
}

template <class T> void normalize_backward(const Step<T> &step, const Unit &unit, const MatrixView<const T> &dz, const MatrixView<T> &dx) {
    const Stage &stage = stage_of(step, unit);
    const NormalizationKernels<T> &kernels = step.kernels->normalization;
    const MatrixView<const T> normalized = normalized_read(step, unit, unit.columns);
    if (stage.operation == Operation::features) {
        const T *roots = step.workspace->normalized[at(unit.stage)].statistics.data() + unit.row;
        kernels.rows_backward(dz, normalized, roots, parameter(step, stage.gamma, 0), dx);
        return;
    }
    kernels.columns_backward(dz, normalized, statistic(step, unit.stage, Statistic::factor, unit.column),
                             statistic(step, unit.stage, Statistic::shift, unit.column),
                             statistic(step, unit.stage, Statistic::slope, unit.column), dx);
}

template <class T> void normalization_gradients(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    if (stage_of(step, unit).operation == Operation::features) return sum_gradients(step, unit, scratch);
    const Index whole = whole_vectors(*step.kernels, unit.columns);
    std::copy_n(statistic(step, unit.stage, Statistic::products, unit.column), whole, scratch.kernel_tiles.data());
    std::copy_n(statistic(step, unit.stage, Statistic::sums, unit.column), whole, scratch.bias_tiles.data());
}

template <class T> void move_statistics(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const Stage &stage = stage_of(step, unit);
    if (!over_batch(stage) || step.rows == 1) return;
    const T keep = static_cast<T>(stage.momentum), take = static_cast<T>(1 - stage.momentum);
    const auto move = [&](Index number, Statistic which) {
        T *moving = parameter(step, number, unit.column);
        const T *found = statistic(step, unit.stage, which, unit.column);
        for (Index c = 0; c < unit.columns; ++c) {
            const T value = keep * moving[c] + take * found[c];
            moving[c] = std::abs(value) < std::numeric_limits<T>::min() ? T(0) : value;
            keep_largest(scratch.notes.weight(), std::abs(value));
        }
    };
    move(stage.moving_mean, Statistic::mean);
    move(stage.moving_variance, Statistic::variance);
}

template void statistics_tile(const Step<float> &, const Unit &, Scratch<float> &);
template void take_moving_variances(const Step<float> &);
template void sums_tile(const Step<float> &, const Unit &, Scratch<float> &);
template void normalize(const Step<float> &, const Unit &, const MatrixView<const float> &, const MatrixView<float> &, Scratch<float> &);
template void normalize_backward(const Step<float> &, const Unit &, const MatrixView<const float> &, const MatrixView<float> &);
template void normalization_gradients(const Step<float> &, const Unit &, Scratch<float> &);
template void move_statistics(const Step<float> &, const Unit &, Scratch<float> &);
template void statistics_tile(const Step<double> &, const Unit &, Scratch<double> &);
template void take_moving_variances(const Step<double> &);
template void sums_tile(const Step<double> &, const Unit &, Scratch<double> &);
template void normalize(const Step<double> &, const Unit &, const MatrixView<const double> &, const MatrixView<double> &,
                        Scratch<double> &);
template void normalize_backward(const Step<double> &, const Unit &, const MatrixView<const double> &, const MatrixView<double> &);
template void normalization_gradients(const Step<double> &, const Unit &, Scratch<double> &);
template void move_statistics(const Step<double> &, const Unit &, Scratch<double> &);

} // namespace ganglion
