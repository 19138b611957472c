#include "ganglion/feed.hpp"
#include "ganglion/error.hpp"
#include <cmath>
#include <type_traits>

namespace ganglion {
namespace {

template <class T, class S> void find_non_finite(MatrixView<const S> x) {
    if constexpr (std::is_floating_point_v<S>)
        for (Index r = 0; r < x.rows; ++r)
            for (Index c = 0; c < x.columns; ++c) {
                const S value = x.data[r * x.stride + c];
                if (std::isfinite(static_cast<T>(value))) continue;
                const std::string where = "x[" + std::to_string(r) + ", " + std::to_string(c) + "]";
                if (std::isfinite(value))
                    throw NonFiniteInput(where + " is too large for float32; scale the feature, or build the model with dtype=\"float64\"");
                throw NonFiniteInput(where + " is " +
                                     (std::isnan(value) ? "nan"
                                      : value > 0       ? "inf"
                                                        : "-inf") +
                                     "; every feature must be a finite number: remove the row or fill the gap");
            }
}

// Rows so far apart share a few sets of L1, and a tile of more of them than a set has ways waits for L2. Read as a copy, on one thread a
// step of 1024×4 layers takes 7 % less and one of 512-512-10 3 %; with 256 columns the copy costs what it saves, with 128 more.
bool share_sets(Index rows, Index bytes_apart) {
    constexpr Index ways = 8;
    return rows > ways && bytes_apart % 2048 == 0;
}

} // namespace

template <class T> void set_labels(Feed<T> &feed, std::vector<std::int32_t> labels) {
    for (std::size_t r = 0; r < labels.size(); ++r) {
        if (labels[r] < 0)
            throw std::invalid_argument("y[" + std::to_string(r) + "] is " + std::to_string(labels[r]) + "; labels count from 0");
        feed.largest_label = std::max(feed.largest_label, labels[r]);
    }
    feed.labels = std::move(labels);
}

template <class T> void set_values(Feed<T> &feed, MatrixView<const T> values) {
    feed.value_columns = values.columns;
    feed.stride = round_up(values.columns, padding);
    feed.values = Buffer<T>(checked_product(values.rows, feed.stride));
    for (Index r = 0; r < values.rows; ++r)
        for (Index c = 0; c < values.columns; ++c) feed.values[r * feed.stride + c] = values.data[r * values.stride + c];
}

template <class T> void set_weights(Feed<T> &feed, const double *weights, Index n) {
    if (n != feed.rows())
        throw std::invalid_argument("x has " + std::to_string(feed.rows()) + " rows but there are " + std::to_string(n) + " weights");
    feed.weights = Buffer<T>(n);
    for (Index r = 0; r < n; ++r) {
        feed.weights[r] = static_cast<T>(weights[r]);
        if (!(feed.weights[r] >= 0 && std::isfinite(feed.weights[r])))
            throw std::invalid_argument("weights[" + std::to_string(r) + "] is " + std::to_string(weights[r]) +
                                        "; a row's weight must be a finite number, at least 0");
    }
}

template <class T> MatrixView<const T> rows_in_place(const Source &x, Index first, Index rows) {
    const auto *view = std::get_if<MatrixView<const T>>(&x);
    if (!view || share_sets(rows, view->stride * static_cast<Index>(sizeof(T)))) return {nullptr, 0, 0, 0};
    return {view->data + first * view->stride, rows, view->columns, view->stride};
}

void append_lines(const Source &x, const std::int32_t *order, Index first, Index rows, std::vector<Lines> &lines) {
    std::visit(
        [&](const auto &view) {
            const auto append = [&](Index row, Index elements) { append_run(view.data + row * view.stride, elements, lines); };
            if (!order && view.stride == view.columns) return append(first, rows * view.columns);
            for (Index r = 0; r < rows; ++r) append(order ? order[r] : first + r, view.columns);
        },
        x);
}

template <class T>
T gather(const Kernels<T> &kernels, const Source &x, const std::int32_t *order, Index first, MatrixView<T> out, bool scaled, T scale,
         T offset) {
    if (const auto *view = std::get_if<MatrixView<const float>>(&x))
        return kernels.gather_float32(*view, order, first, out, scaled, scale, offset);
    if (const auto *view = std::get_if<MatrixView<const double>>(&x))
        return kernels.gather_float64(*view, order, first, out, scaled, scale, offset);
    return kernels.gather_uint8(std::get<MatrixView<const std::uint8_t>>(x), order, first, out, scaled, scale, offset);
}

template <class T> void throw_non_finite(const Source &x, const std::string &rescale) {
    std::visit([](const auto &view) { find_non_finite<T>(view); }, x);
    if (!rescale.empty())
        throw NonFiniteInput("layer '" + rescale + "': x · scale + offset is too large for " + (sizeof(T) == 4 ? "float32" : "float64") +
                             "; choose a smaller scale");
    // The array changed under our eyes; what was seen is still a reason to stop.
    throw NonFiniteInput("x held a value that is not a finite number; it was changed while it was read");
}

template void set_labels(Feed<float> &, std::vector<std::int32_t>);
template void set_labels(Feed<double> &, std::vector<std::int32_t>);
template void set_values(Feed<float> &, MatrixView<const float>);
template void set_values(Feed<double> &, MatrixView<const double>);
template void set_weights(Feed<float> &, const double *, Index);
template void set_weights(Feed<double> &, const double *, Index);
template MatrixView<const float> rows_in_place(const Source &, Index, Index);
template MatrixView<const double> rows_in_place(const Source &, Index, Index);
template float gather(const Kernels<float> &, const Source &, const std::int32_t *, Index, MatrixView<float>, bool, float, float);
template double gather(const Kernels<double> &, const Source &, const std::int32_t *, Index, MatrixView<double>, bool, double, double);
template void throw_non_finite<float>(const Source &, const std::string &);
template void throw_non_finite<double>(const Source &, const std::string &);

} // namespace ganglion
