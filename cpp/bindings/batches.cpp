#include "batches.hpp"
#include "plain_arrays.hpp"
#include <cmath>
#include <utility>

namespace ganglion::bindings {
namespace {

constexpr double distribution_tolerance = 1e-3; // as in inputs.py

template <class S> Source rows_of(const py::detail::PyArray_Proxy &x) {
    const Index rows = x.dimensions[0], columns = x.dimensions[1];
    return MatrixView<const S>{reinterpret_cast<const S *>(x.data), rows, columns,
                               rows > 1 ? x.strides[0] / static_cast<Index>(sizeof(S)) : columns};
}

// Elements of a (n, columns) array, or of a (n,) one where `columns` is 1, wherever they lie.
template <class S> class Elements {
  public:
    explicit Elements(const py::detail::PyArray_Proxy &array)
        : data_(array.data), row_(array.strides[0]), column_(array.nd == 2 ? array.strides[1] : 0) {}
    S at(Index r, Index c) const { return *reinterpret_cast<const S *>(data_ + r * row_ + c * column_); }

  private:
    const char *data_;
    Index row_, column_;
};

template <class S, class T> bool read_labels(const Elements<S> &y, Index rows, Index classes, Feed<T> &feed) {
    feed.labels.resize(static_cast<std::size_t>(rows));
    std::int32_t *to = feed.labels.data(), largest = -1;
    bool fits = true;
    for (Index r = 0; r < rows; ++r) {
        const S label = y.at(r, 0);
        fits &= std::cmp_greater_equal(label, 0) && std::cmp_less(label, classes);
        to[r] = static_cast<std::int32_t>(label);
        largest = std::max(largest, to[r]);
    }
    feed.largest_label = largest;
    return fits;
}

template <class S, class T> bool read_values(const Elements<S> &y, Index rows, Index columns, ValueRule rule, Feed<T> &feed) {
    feed.value_columns = columns;
    feed.stride = round_up(columns, padding);
    if (feed.values.size() != rows * feed.stride) feed.values = Buffer<T>(checked_product(rows, feed.stride));
    for (Index r = 0; r < rows; ++r) {
        T *to = feed.values.data() + r * feed.stride;
        double sum = 0;
        bool fits = true;
        for (Index c = 0; c < columns; ++c) {
            to[c] = static_cast<T>(y.at(r, c));
            fits &= std::isfinite(to[c]) && (rule == ValueRule::any || to[c] >= 0) && (rule != ValueRule::unit || to[c] <= 1);
            sum += static_cast<double>(to[c]);
        }
        if (!fits || (rule == ValueRule::distribution && std::abs(sum - 1) > distribution_tolerance / 2)) return false;
    }
    return true;
}

} // namespace

bool read_features(const py::handle &x, Index columns, Source &source) {
    const auto *array = plain_array(x);
    if (!array || array->nd != 2 || array->dimensions[0] == 0 || array->dimensions[1] != columns) return false;
    const char type = type_of(*array);
    const Index item = type == 'f' ? 4 : type == 'd' ? 8 : 1;
    if (columns > 1 && array->strides[1] != item) return false;
    if (array->dimensions[0] > 1 && (array->strides[0] <= 0 || array->strides[0] % item != 0)) return false;
    if (type == 'f') source = rows_of<float>(*array);
    else if (type == 'd') source = rows_of<double>(*array);
    else if (type == 'B') source = rows_of<std::uint8_t>(*array);
    else return false;
    return true;
}

template <class T>
bool read_batch(const py::handle &x, const py::handle &y, const Architecture &net, TargetKind target, ValueRule rule, Feed<T> &feed) {
    if (!read_features(x, net.inputs, feed.x)) return false;
    const Index rows = feed.rows(), columns = target == TargetKind::labels ? 1 : net.outputs;
    const auto *array = plain_array(y);
    if (!array || array->nd < 1 || array->nd > 2 || array->dimensions[0] != rows) return false;
    if (array->nd == 1 ? columns != 1 : array->dimensions[1] != columns) return false;
    const char type = type_of(*array);
    if (target == TargetKind::values) {
        if (type == 'f') return read_values(Elements<float>(*array), rows, columns, rule, feed);
        return type == 'd' && read_values(Elements<double>(*array), rows, columns, rule, feed);
    }
    const Index classes = net.outputs;
    if (type == 'i') return read_labels(Elements<int>(*array), rows, classes, feed);
    if (type == 'l') return read_labels(Elements<long>(*array), rows, classes, feed);
    if (type == 'q') return read_labels(Elements<long long>(*array), rows, classes, feed);
    return type == 'B' && read_labels(Elements<std::uint8_t>(*array), rows, classes, feed);
}

template bool read_batch(const py::handle &, const py::handle &, const Architecture &, TargetKind, ValueRule, Feed<float> &);
template bool read_batch(const py::handle &, const py::handle &, const Architecture &, TargetKind, ValueRule, Feed<double> &);

} // namespace ganglion::bindings
