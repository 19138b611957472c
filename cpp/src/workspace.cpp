#include "ganglion/workspace.hpp"
#include "ganglion/leaves.hpp"

namespace ganglion {
namespace {

template <class T> void add_thread(Workspace<T> &space, const Architecture &net, Index rows) {
    Scratch<T> &scratch = space.threads.emplace_back();
    scratch.classes.resize(at(rows));
    scratch.activated = Buffer<T>(row_stride(net.outputs));
    scratch.notes = scratch.merged = Notes<T>(net.stages.size());
}

// The most elements of a tile, of a kernel or a normalization's row, and the longest side of a kernel's: a small network needs but a
// few KiB for each thread, where the largest tiles of a plan would take hundreds.
struct Largest {
    Index elements = 0, side = 0;
};
Largest largest_tile(const Architecture &net) {
    Largest largest;
    for (const Stage &stage : net.stages) {
        const Index rows = stage.kernel >= 0 ? std::min(kernel_tile_side, stage.inputs) : 1;
        const Index columns = std::min(kernel_tile_side, round_up(stage.outputs, padding));
        largest.elements = std::max(largest.elements, rows * columns);
        if (stage.kernel >= 0) largest.side = std::max({largest.side, rows, columns});
    }
    return largest;
}

} // namespace

template <class T> void Notes<T>::reset() { std::fill(&input(), values_.data() + values_.size(), T(0)); }

template <class T> void Notes<T>::merge_rows(const Notes &other) {
    keep_largest(input(), other.input());
    keep_largest(loss(), other.loss());
    for (std::size_t s = 0; s < stages(); ++s) {
        keep_largest(output(s), other.output(s));
        keep_largest(delta(s), other.delta(s));
    }
}

template <class T> void add_threads(Workspace<T> &space, const Architecture &net, int team) {
    while (static_cast<int>(space.threads.size()) < team) add_thread(space, net, space.capacity);
}

template <class T> Workspace<T> make_forward_workspace(const Architecture &net, Index rows) {
    Workspace<T> space;
    space.capacity = rows;
    space.x[0] = Buffer<T>(checked_product(rows, row_stride(net.inputs)));
    for (const Stage &stage : net.stages) {
        const Index size = checked_product(rows, row_stride(stage.outputs));
        space.h.emplace_back(size);
        space.z.emplace_back(stage.needs == Needs::input ? size : 0);
        Normalized<T> &normalized = space.normalized.emplace_back();
        if (!normalizes(stage)) continue;
        normalized.values = Buffer<T>(size);
        normalized.statistics =
            Buffer<T>(stage.operation == Operation::features ? rows : checked_product(statistic_rows, row_stride(stage.outputs)));
    }
    add_thread(space, net, rows);
    return space;
}

template <class T> Workspace<T> make_loss_workspace(const Architecture &net, Index rows, const std::vector<Metric> &metrics) {
    Workspace<T> space = make_forward_workspace<T>(net, rows);
    for (const Stage &stage : net.stages) space.d.emplace_back(checked_product(rows, row_stride(stage.outputs)));
    space.losses = Buffer<T>(rows);
    for (const Metric &metric : metrics) space.metrics.emplace_back(checked_product(rows, metric.values()));
    return space;
}

template <class T>
Workspace<T> make_workspace(const Architecture &net, Index rows, int team, const std::vector<Metric> &metrics, bool stored) {
    Workspace<T> space = make_loss_workspace<T>(net, rows, metrics);
    space.x[1] = Buffer<T>(space.x[0].size());
    space.gradients = Buffer<T>(stored ? net.parameter_elements : 0);
    const Index parameter_count = static_cast<Index>(net.parameters.size());
    space.squares = Buffer<double>(stored ? parameter_rows(net, parameter_count) : 0);
    space.penalties = Buffer<double>(penalized(net) ? parameter_rows(net, parameter_count) : 0);
    add_threads(space, net, team);
    const auto [tile, side] = largest_tile(net);
    const Index leaf = std::min(rows, leaf_rows);
    for (Scratch<T> &scratch : space.threads) {
        scratch.kernel_tile = tile;
        scratch.kernel_tiles = Buffer<T>(tile * tree_slots(rows));
        scratch.bias_tiles = Buffer<T>(kernel_tile_side * tree_slots(rows));
        scratch.left = Buffer<T>(side * row_stride(leaf));
        scratch.right = Buffer<T>(leaf * row_stride(side));
        scratch.mirrored = Buffer<T>(side * row_stride(side));
        scratch.copying.reserve(rows);
        scratch.ahead.reserve(at(rows + 2 * kernel_tile_side / moment_columns + 2 * leaf)); // rows of x, strips of moments, two leaves
    }
    return space;
}

template class Notes<float>;
template void add_threads(Workspace<float> &, const Architecture &, int);
template Workspace<float> make_forward_workspace(const Architecture &, Index);
template Workspace<float> make_loss_workspace(const Architecture &, Index, const std::vector<Metric> &);
template Workspace<float> make_workspace(const Architecture &, Index, int, const std::vector<Metric> &, bool);
template class Notes<double>;
template void add_threads(Workspace<double> &, const Architecture &, int);
template Workspace<double> make_forward_workspace(const Architecture &, Index);
template Workspace<double> make_loss_workspace(const Architecture &, Index, const std::vector<Metric> &);
template Workspace<double> make_workspace(const Architecture &, Index, int, const std::vector<Metric> &, bool);

} // namespace ganglion
