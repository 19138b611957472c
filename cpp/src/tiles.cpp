#include "ganglion/tiles.hpp"
#include "ganglion/clipping.hpp"
#include "ganglion/leaves.hpp"
#include "ganglion/matmul.hpp"
#include "ganglion/normalization.hpp"
#include "ganglion/penalties.hpp"

namespace ganglion {
namespace {

// The same rows where each begins a cache line: a copy of what lies elsewhere. A vector across two lines is loaded at half the speed,
// and sparse products load one for each multiplication.
template <class T> MatrixView<const T> aligned(const MatrixView<const T> &x, T *copy) {
    constexpr Index line = 64;
    const bool in_place = reinterpret_cast<std::uintptr_t>(x.data) % line == 0 && x.stride * static_cast<Index>(sizeof(T)) % line == 0;
    if (in_place) return x;
    const MatrixView<T> to{copy, x.rows, x.columns, row_stride(x.columns)};
    copy_columns(x, 0, to);
    return {to.data, to.rows, to.columns, to.stride};
}

// What a tile's update changes, of W and of Wᵀ.
template <class T> struct Soon {
    T *w = nullptr;
    Index w_row = 0;
    T *transposed = nullptr;
    Index transposed_row = 0;
};

// How a product was made: zeros left out, the weights updated with it.
struct Multiplied {
    bool sparse, updated;
};

constexpr Index call_terms = 4000; // what calls and comparisons cost, in terms of a product

// dw (I,O) = xᵀ · dz over the rows of a leaf, dz and dw in whole vectors of which `columns` belong to the matrix. Or dwᵀ (O,I) = dzᵀ · x,
// transposed afterwards, which costs some percent of a tile: where dz has more zeros than x, or where few of the last vector's columns
// are dw's. With a descent W is updated in place of writing dw, where the product is dense and not transposed.
template <class T>
Multiplied multiply_leaf(const Step<T> &step, const MatrixView<const T> &x, const MatrixView<const T> &dz, Index columns,
                         const MatrixView<T> &dw, const Soon<T> &soon, Descent<T> *descent, Ahead *ahead, Scratch<T> &scratch) {
    constexpr Index fewest_rows = 32;
    constexpr Index transposed_terms = 5; // what an element of dwᵀ costs to transpose, in terms of a product
    const Kernels<T> &kernels = *step.kernels;
    Product<T> straight_product{x.columns, dz.columns, x.rows, x.data, 1, x.stride, dz.data, dz.stride, dw.data, dw.stride, false};
    straight_product.others_read = step.team > 1, straight_product.ahead = ahead, straight_product.copies = &scratch.copying.copies;
    straight_product.along = soon.w, straight_product.along_row = soon.w_row;
    straight_product.across = soon.transposed, straight_product.across_row = soon.transposed_row, straight_product.across_rows = columns;
    const bool may_skip = step.finite && x.rows >= fewest_rows;
    const double of_x = may_skip ? density(kernels, x, dz.columns) : 1, of_dz = may_skip ? density(kernels, dz, x.columns) : 1;
    const bool sparse = std::min(of_x, of_dz) < sparse_density;
    const auto terms = [&](double share, Index m, Index n) { return share * static_cast<double>(m * n * x.rows); };
    const auto computed_of = [&](Index n) { return sparse ? whole_vectors(kernels, n) : product_columns(kernels, n); };
    const Index computed = computed_of(columns);
    const bool straight =
        terms(sparse ? of_x : 1, x.columns, computed) <= terms(sparse ? of_dz : 1, columns, computed_of(x.columns)) +
                                                             static_cast<double>(call_terms + transposed_terms * x.columns * dz.columns);
    T *const left = scratch.left.data(), *const mirrored = scratch.mirrored.data();
    const Index stride = row_stride(x.rows), mirrored_stride = row_stride(x.columns);
    if (sparse) kernels.transpose(straight ? x : dz, left, stride);
    if (straight) {
        straight_product.N = computed;
        if (sparse) straight_product.a = left, straight_product.a_row = stride, straight_product.a_column = 1;
        else if (descent) straight_product.c = soon.w, straight_product.c_row = soon.w_row, straight_product.descent = descent;
        (sparse ? kernels.sparse_matmul : kernels.matmul)(straight_product);
        if (straight_product.descent) return {false, true};
        if (computed < dz.columns)
            for (Index r = 0; r < dw.rows; ++r) std::fill_n(dw.data + r * dw.stride + computed, dz.columns - computed, T(0));
        return {sparse, false};
    }
    Product<T> product{columns, x.columns, x.rows, dz.data, 1, dz.stride, x.data, x.stride, mirrored, mirrored_stride, false};
    product.others_read = step.team > 1, product.ahead = ahead, product.copies = &scratch.copying.copies;
    product.along = soon.transposed, product.along_row = soon.transposed_row;
    product.across = soon.w, product.across_row = soon.w_row, product.across_rows = x.columns;
    if (sparse) {
        const MatrixView<const T> right = aligned(x, scratch.right.data());
        product.a = left, product.a_row = stride, product.a_column = 1;
        product.b = right.data, product.b_row = right.stride;
    }
    (sparse ? kernels.sparse_matmul : kernels.matmul)(product);
    std::fill_n(mirrored + columns * mirrored_stride, (dz.columns - columns) * mirrored_stride, T(0));
    kernels.transpose({mirrored, dz.columns, x.columns, mirrored_stride}, dw.data, dw.stride);
    return {sparse, false};
}

template <class T> Moments<T> moments_of(const Step<T> &step, const Parameter &parameter, Index row, Index column) {
    const auto moment = [&](int i) { return step.moments[i] ? step.moments[i] + parameter.offset : nullptr; };
    return {moment(0), moment(1), parameter.rows, round_up(parameter.columns, padding), row, column};
}

// The optimizer's moments of a tile, which has whole strips.
template <class T> void append_moments(const Step<T> &step, const Parameter &parameter, const Unit &unit, std::vector<Lines> &lines) {
    const Moments<T> moments = moments_of(step, parameter, unit.row, unit.column);
    for (const T *of : {moments.first, moments.second})
        for (Index column = 0; of && column < unit.columns; column += moment_columns) {
            const auto strip = moments.strip(column);
            append_run(of + strip.at, unit.rows * strip.stride, lines);
        }
}

// The optimizer on a block of one parameter, its gradient lying at `g`.
template <class T>
void update_block(const Step<T> &step, const Parameter &parameter, Index row, Index rows, Index column, Index columns, const T *g,
                  Index g_stride, Scratch<T> &scratch) {
    const Index offset = parameter.offset + row * parameter.stride + column;
    const MatrixView<T> w{step.parameters->values.data() + offset, rows, whole_vectors(*step.kernels, columns), parameter.stride};
    const Moments<T> moments = moments_of(step, parameter, row, column);
    keep_largest(scratch.notes.weight(), step.optimizer->update(w, {g, rows, w.columns, g_stride}, moments, step.constants));
}

// gradient_tile where the product is over before ways of it are compared, or lines fetched: one leaf on one thread.
template <class T> void short_gradient(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const auto [s, row, rows, column, columns] = unit;
    const Stage &stage = step.net->stages[at(s)];
    const Kernels<T> &kernels = *step.kernels;
    const Index stride = round_up(columns, padding), whole = whole_vectors(kernels, columns);
    const MatrixView<const T> x = input_rows(step, s, 0, step.rows, row, rows);
    const MatrixView<const T> dz = read(step.workspace->d[at(s)], 0, step.rows, column, whole, stage.outputs);
    T *const dw = scratch.kernel_tiles.data();
    kernels.matmul({rows, whole, step.rows, x.data, 1, x.stride, dz.data, dz.stride, dw, stride, false});
    if (stage.bias >= 0 && row == 0) kernels.column_sums(dz, scratch.bias_tiles.data());
    penalize_tile(step, unit, scratch);
}

// gradient_tile of any size. Beside a leaf's products the next leaf is fetched, beside the last one's what comes next: of an update the
// weights and moments.
template <class T> bool long_gradient(const Step<T> &step, const Unit &unit, Scratch<T> &scratch, bool updates) {
    const auto [s, row, rows, column, columns] = unit;
    const Stage &stage = step.net->stages[at(s)];
    const Kernels<T> &kernels = *step.kernels;
    const Index stride = round_up(columns, padding), whole = whole_vectors(kernels, columns);
    const bool with_bias = stage.bias >= 0 && row == 0;
    const Parameter &w = step.net->parameters[at(stage.kernel)];
    const bool descends = updates && step.optimizer->descends && step.rows <= leaf_rows && !penalized(w) && !clips(step);
    Soon<T> soon{step.parameters->values.data() + w.offset + row * w.stride + column, w.stride, nullptr, row_stride(stage.inputs)};
    if (stage.transposed >= 0 && step.team > 1 && !step.transposed)
        soon.transposed = step.parameters->transposed.data() + stage.transposed + column * soon.transposed_row + row;
    if (updates && step.moments[0] && step.net->parameter_elements * static_cast<Index>(sizeof(T)) > near_bytes) {
        const auto later = static_cast<std::ptrdiff_t>(scratch.ahead.size());
        append_moments(step, w, unit, scratch.ahead);
        std::rotate(scratch.ahead.begin(), scratch.ahead.begin() + later, scratch.ahead.end()); // what is needed first
    }
    const std::size_t after = scratch.ahead.size();
    Descent<T> descent{step.constants};
    bool updated = false;
    const auto tile = [&](Index slot) { return scratch.kernel_tiles.data() + slot * scratch.kernel_tile; };
    const auto bias = [&](Index slot) { return scratch.bias_tiles.data() + slot * kernel_tile_side; };
    sum_leaves(
        step.rows,
        [&](Index slot, Index first, Index count) {
            const MatrixView<const T> x = input_rows(step, s, first, count, row, rows);
            const MatrixView<const T> dz = read(step.workspace->d[at(s)], first, count, column, whole, stage.outputs);
            const bool last = first + count == step.rows;
            const MatrixView<T> dw{tile(slot), rows, columns, stride};
            if (!last) append_leaf(step, unit, first + count, scratch.ahead);
            Ahead ahead{scratch.ahead.data() + (last ? 0 : after), scratch.ahead.data() + scratch.ahead.size()};
            const Multiplied made =
                multiply_leaf(step, x, dz, columns, dw, last && updates ? soon : Soon<T>{}, descends ? &descent : nullptr, &ahead, scratch);
            scratch.counts.sparse_products += made.sparse;
            updated = made.updated;
            scratch.ahead.resize(after);
            if (with_bias) kernels.column_sums(dz, bias(slot));
        },
        [&](Index to, Index from) {
            kernels.add(tile(to), tile(from), rows * stride);
            if (with_bias) kernels.add(bias(to), bias(from), whole);
        });
    if (updated) keep_largest(scratch.notes.weight(), largest_lane(kernels, descent.largest));
    else penalize_tile(step, unit, scratch);
    scratch.counts.descents += updated;
    return updated;
}

// dw of a tile over the whole batch, its penalty's with it, into slot 0 of the scratch, db of its columns with the tile's first rows.
// Returns whether the weights were updated instead, which only a tile of an update may be.
template <class T> bool gradient_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch, bool updates) {
    const bool normalized = normalizes(step.net->stages[at(unit.stage)]);
    const Index whole = whole_vectors(*step.kernels, unit.columns);
    const bool brief = step.team == 1 && step.rows <= leaf_rows && unit.rows * whole * step.rows <= call_terms;
    if (!normalized && !brief) return long_gradient(step, unit, scratch, updates);
    if (normalized) normalization_gradients(step, unit, scratch);
    else short_gradient(step, unit, scratch);
    return false;
}

template <class T> void transpose_tile(const Kernels<T> &kernels, const Architecture &net, Parameters<T> &parameters, const Unit &unit) {
    const Stage &stage = net.stages[at(unit.stage)];
    if (stage.transposed < 0) return;
    const Parameter &w = net.parameters[at(stage.kernel)];
    const Index stride = row_stride(stage.inputs);
    kernels.transpose({parameters.values.data() + w.offset + unit.row * w.stride + unit.column, unit.rows, unit.columns, w.stride},
                      parameters.transposed.data() + stage.transposed + unit.column * stride + unit.row, stride);
}

// After the update of a tile of a kernel: with its first rows that of the bias of its columns; then Wᵀ.
template <class T> void finish_tile(const Step<T> &step, const Unit &unit, const T *db, Scratch<T> &scratch) {
    const Stage &stage = step.net->stages[at(unit.stage)];
    if (stage.bias >= 0 && unit.row == 0)
        update_block(step, step.net->parameters[at(stage.bias)], 0, 1, unit.column, unit.columns, db, unit.columns, scratch);
    if (normalizes(stage)) move_statistics(step, unit, scratch);
    if (!step.transposed) transpose_tile(*step.kernels, *step.net, *step.parameters, unit);
}

// The optimizer on a tile of a kernel and what comes with it.
template <class T> void apply_tile(const Step<T> &step, const Unit &unit, const T *g, Index g_stride, const T *db, Scratch<T> &scratch) {
    if (const Index weight = weight_of(step.net->stages[at(unit.stage)]); weight >= 0)
        update_block(step, step.net->parameters[at(weight)], unit.row, unit.rows, unit.column, unit.columns, g, g_stride, scratch);
    finish_tile(step, unit, db, scratch);
}

} // namespace

template <class T> void append_leaf(const Step<T> &step, const Unit &unit, Index first, std::vector<Lines> &lines) {
    const Stage &stage = step.net->stages[at(unit.stage)];
    if (stage.kernel < 0 || step.rows * stage.inputs * static_cast<Index>(sizeof(T)) <= near_bytes) return;
    const MatrixView<const T> x = input_rows(step, unit.stage, first, std::min(leaf_rows, step.rows - first), unit.row, unit.rows);
    for (Index r = 0; r < x.rows; ++r) append_run(x.data + r * x.stride, x.columns, lines);
}

template <class T> void update_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    if (gradient_tile(step, unit, scratch, true)) return finish_tile<T>(step, unit, scratch.bias_tiles.data(), scratch);
    if (clips(step)) clip_tile(step, unit, scratch);
    apply_tile<T>(step, unit, scratch.kernel_tiles.data(), round_up(unit.columns, padding), scratch.bias_tiles.data(), scratch);
}

template <class T> void store_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    gradient_tile(step, unit, scratch, false);
    const Stage &stage = step.net->stages[at(unit.stage)];
    const auto store = [&](const T *from, Index from_stride, const Parameter &parameter, Index row, Index rows) {
        T *to = step.gradients + parameter.offset + row * parameter.stride + unit.column;
        if (step.adds_gradients)
            for (Index r = 0; r < rows; ++r) step.kernels->add(to + r * parameter.stride, from + r * from_stride, unit.columns);
        else copy_columns({from, rows, unit.columns, from_stride}, 0, MatrixView<T>{to, rows, unit.columns, parameter.stride});
        keep_largest(scratch.notes.gradient(at(unit.stage)), step.kernels->largest({to, rows, unit.columns, parameter.stride}));
    };
    if (const Index weight = weight_of(stage); weight >= 0)
        store(scratch.kernel_tiles.data(), round_up(unit.columns, padding), step.net->parameters[at(weight)], unit.row, unit.rows);
    if (stage.bias >= 0 && unit.row == 0) store(scratch.bias_tiles.data(), 0, step.net->parameters[at(stage.bias)], 0, 1);
}

template <class T> void apply_stored_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const Stage &stage = step.net->stages[at(unit.stage)];
    if (!step.updates) { // moving statistics are those of each batch
        if (normalizes(stage)) move_statistics(step, unit, scratch);
        return;
    }
    const T *gradients = step.gradients, *dw = scratch.kernel_tiles.data(); // of a stage without weights
    Index stride = round_up(unit.columns, padding);
    if (weight_of(stage) >= 0) {
        const Parameter &w = step.net->parameters[at(weight_of(stage))];
        dw = gradients + w.offset + unit.row * w.stride + unit.column;
        stride = w.stride;
    }
    const T *db = stage.bias >= 0 ? gradients + step.net->parameters[at(stage.bias)].offset + unit.column : nullptr;
    if (!clips(step)) return apply_tile(step, unit, dw, stride, db, scratch);
    clip_into_tile(step, unit, dw, stride, db, scratch);
    apply_tile<T>(step, unit, scratch.kernel_tiles.data(), round_up(unit.columns, padding), scratch.bias_tiles.data(), scratch);
}

template <class T> void refresh_transposed(const Kernels<T> &kernels, const Architecture &net, Parameters<T> &parameters) {
    if (parameters.transposed_version == parameters.version) return;
    for (const Stage &stage : net.stages)
        if (stage.transposed >= 0) transpose_weights(kernels, net, stage, parameters, parameters.transposed.data() + stage.transposed);
    parameters.transposed_version = parameters.version;
}

template void append_leaf(const Step<float> &, const Unit &, Index, std::vector<Lines> &);
template void update_tile(const Step<float> &, const Unit &, Scratch<float> &);
template void store_tile(const Step<float> &, const Unit &, Scratch<float> &);
template void apply_stored_tile(const Step<float> &, const Unit &, Scratch<float> &);
template void refresh_transposed(const Kernels<float> &, const Architecture &, Parameters<float> &);
template void append_leaf(const Step<double> &, const Unit &, Index, std::vector<Lines> &);
template void update_tile(const Step<double> &, const Unit &, Scratch<double> &);
template void store_tile(const Step<double> &, const Unit &, Scratch<double> &);
template void apply_stored_tile(const Step<double> &, const Unit &, Scratch<double> &);
template void refresh_transposed(const Kernels<double> &, const Architecture &, Parameters<double> &);

} // namespace ganglion
