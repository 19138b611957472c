#include "handles.hpp"
#include <pybind11/stl.h>

namespace ganglion::bindings {
namespace {

std::vector<double> weights_of(const std::optional<py::array> &weights, Index rows) {
    if (!weights) return {};
    const bool floats = py::isinstance<py::array_t<float>>(*weights) || py::isinstance<py::array_t<double>>(*weights);
    if (!floats) throw py::type_error("weights must be float32 or float64; got " + py::str(weights->dtype()).cast<std::string>());
    if (weights->ndim() != 1 || weights->shape(0) != rows)
        throw py::value_error("weights must have shape (" + std::to_string(rows) + ",); got " +
                              py::str(weights->attr("shape")).cast<std::string>());
    const auto numbers = py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(*weights);
    return {numbers.data(), numbers.data() + rows};
}

FeedHandle make_feed(const py::array &x, const std::optional<py::array> &labels, std::optional<py::array> values,
                     const std::optional<py::array> &weights) {
    if (labels.has_value() == values.has_value()) throw py::value_error("a feed has either labels or values");
    source_of(x);
    FeedHandle feed{x, std::move(values), {}, weights_of(weights, x.shape(0))};
    if (labels) {
        const MatrixView<const std::int32_t> view = matrix_of<std::int32_t>(*labels, "labels");
        if (labels->ndim() != 1) throw py::value_error("labels must be one-dimensional");
        feed.labels.assign(view.data, view.data + view.columns);
    }
    return feed;
}

template <class From> py::object labels_of(const py::array &y, Index classes) {
    const auto from = y.unchecked<From, 1>();
    py::array_t<std::int32_t> labels(y.shape(0));
    std::int32_t *to = labels.mutable_data();
    bool all = true;
    for (py::ssize_t r = 0; r < y.shape(0); ++r) {
        const auto label = static_cast<std::int64_t>(from(r));
        all = all && label >= 0 && label < classes;
        to[r] = static_cast<std::int32_t>(label);
    }
    return all ? py::object(std::move(labels)) : py::none();
}

// A copy of labels 0 … classes - 1 in one of the usual types; None where they are others, which Python looks at. After an epoch, when
// nothing of Python is in a cache, NumPy's passes over 20,000 of them took as long as a step of 784-50-10.
py::object labels(const py::array &y, Index classes) {
    if (y.ndim() != 1 || !(y.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_)) return py::none();
    if (py::isinstance<py::array_t<std::int64_t>>(y)) return labels_of<std::int64_t>(y, classes);
    if (py::isinstance<py::array_t<std::int32_t>>(y)) return labels_of<std::int32_t>(y, classes);
    if (py::isinstance<py::array_t<std::uint8_t>>(y)) return labels_of<std::uint8_t>(y, classes);
    return py::none();
}

} // namespace

template <class T> const Feed<T> &feed_of(const FeedHandle &handle) {
    auto &kept = std::get<std::optional<Feed<T>>>(handle.feeds);
    if (kept) return *kept;
    Feed<T> feed;
    feed.x = source_of(handle.x);
    if (handle.values) {
        const MatrixView<const T> values = matrix_of<T>(*handle.values, "values");
        if (handle.values->ndim() != 2 || values.rows != feed.rows())
            throw py::value_error("values must have shape (" + std::to_string(feed.rows()) + ", outputs)");
        set_values(feed, values);
    } else {
        if (static_cast<Index>(handle.labels.size()) != feed.rows())
            throw py::value_error("x has " + std::to_string(feed.rows()) + " rows but there are " + std::to_string(handle.labels.size()) +
                                  " labels");
        set_labels(feed, handle.labels);
    }
    if (!handle.weights.empty()) set_weights(feed, handle.weights.data(), static_cast<Index>(handle.weights.size()));
    return kept.emplace(std::move(feed));
}

template const Feed<float> &feed_of(const FeedHandle &);
template const Feed<double> &feed_of(const FeedHandle &);

void bind_feed(py::module_ &module) {
    py::class_<FeedHandle>(module, "Feed", "A data set: x read in place, targets copied.")
        .def(py::init(&make_feed), py::arg("x"), py::arg("labels") = py::none(), py::arg("values") = py::none(),
             py::arg("weights") = py::none());
    module.def("labels", &labels, py::arg("y"), py::arg("classes"), "Labels as an int32 copy; None where they need a closer look.");
}

} // namespace ganglion::bindings
