#include "host.hpp"
#include "ganglion/arena.hpp"
#include <limits>

namespace ganglion::bindings {
namespace {

// A Python function that threads may call, copy and drop without holding the interpreter.
class SharedFunction {
  public:
    explicit SharedFunction(py::function function)
        : function_(new py::function(std::move(function)), [](py::function *held) {
              const py::gil_scoped_acquire acquire;
              delete held;
          }) {}
    // What the function gives; None after an error, which whose method it is keeps.
    template <class... Argument> py::object operator()(const Argument &...arguments) const {
        try {
            meet_signals();
            return (*function_)(arguments...);
        } catch (py::error_already_set &error) {
            keep(error);
            return py::none();
        }
    }

  private:
    // A Ctrl-C that came while the core was at work. Python 3.11 may collect garbage as it makes a call's arguments; in a callback of
    // its collector the exception would be lost. Later versions look for signals before they collect, but here they would collect first.
    static void meet_signals() {
#if PY_VERSION_HEX < 0x030C0000
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
#endif
    }
    // The methods catch what is raised in them, but for Ctrl-C before one of them or as it is entered.
    void keep(py::error_already_set &error) const {
        const py::object owner = py::getattr(*function_, "__self__", py::none());
        const py::str name("_failed");
        if (owner.is_none() || PyObject_GenericSetAttr(owner.ptr(), name.ptr(), error.value().ptr()) != 0) {
            PyErr_Clear();
            error.discard_as_unraisable("a loss, metric or layer written in Python");
        }
    }

    std::shared_ptr<py::function> function_;
};

template <class T> py::array_t<T> copy_of(const MatrixView<const T> &view) {
    py::array_t<T> array({view.rows, view.columns});
    for (Index r = 0; r < view.rows; ++r) std::copy_n(view.data + r * view.stride, view.columns, array.mutable_data(r, 0));
    return array;
}

template <class T> py::object targets_of(const Targets<T> &targets, Index rows, Index columns) {
    const auto row = [&](Index r) { return targets.rows ? targets.rows[r] : targets.first + r; };
    if (targets.labels) {
        py::array_t<std::int32_t> labels(rows);
        for (Index r = 0; r < rows; ++r) labels.mutable_at(r) = targets.labels[row(r)];
        return labels;
    }
    py::array_t<T> values({rows, columns});
    for (Index r = 0; r < rows; ++r) std::copy_n(targets.values + row(r) * targets.stride, columns, values.mutable_data(r, 0));
    return values;
}

template <class T> LossOfRows<T> loss_of(const SharedFunction &function) {
    return [function](const MatrixView<const T> &z, const Targets<T> &targets, T *losses, const MatrixView<T> &d) {
        const py::gil_scoped_acquire acquire;
        const py::object found = function(copy_of(z), targets_of(targets, z.rows, z.columns));
        for (Index r = 0; r < d.rows; ++r) std::fill_n(d.data + r * d.stride, d.stride, T(0));
        if (found.is_none()) return void(std::fill_n(losses, z.rows, std::numeric_limits<T>::quiet_NaN()));
        const auto [values, slopes] = found.cast<std::pair<py::array_t<T, py::array::c_style>, py::array_t<T, py::array::c_style>>>();
        for (Index r = 0; r < z.rows; ++r) {
            losses[r] = values.at(r);
            std::copy_n(slopes.data(r, 0), z.columns, d.data + r * d.stride);
        }
    };
}

template <class T> MetricOfRows<T> metric_of(const SharedFunction &function) {
    return [function](const MatrixView<const T> &y, const Targets<T> &targets, double *values) {
        const py::gil_scoped_acquire acquire;
        const py::object found = function(copy_of(y), targets_of(targets, y.rows, y.columns));
        if (found.is_none()) return void(std::fill_n(values, y.rows, std::numeric_limits<double>::quiet_NaN()));
        const auto numbers = found.cast<py::array_t<double, py::array::c_style>>();
        for (Index r = 0; r < y.rows; ++r) values[r] = numbers.at(r);
    };
}

// What was found, or NaN; zeros beyond the columns.
template <class T> void put(const py::object &found, const MatrixView<T> &to) {
    for (Index r = 0; r < to.rows; ++r) std::fill_n(to.data + r * to.stride, round_up(to.columns, padding), T(0));
    if (found.is_none()) {
        for (Index r = 0; r < to.rows; ++r) std::fill_n(to.data + r * to.stride, to.columns, std::numeric_limits<T>::quiet_NaN());
        return;
    }
    const auto rows = found.cast<py::array_t<T, py::array::c_style>>();
    for (Index r = 0; r < to.rows; ++r) std::copy_n(rows.data(r, 0), to.columns, to.data + r * to.stride);
}

template <class T> LayerOfRows<T> layer_of(const SharedFunction &forward, const SharedFunction &backward) {
    return {[forward](const MatrixView<const T> &x, const MatrixView<T> &z) {
                const py::gil_scoped_acquire acquire;
                put(forward(copy_of(x)), z);
            },
            [backward](const MatrixView<const T> &x, const MatrixView<const T> &z, const MatrixView<const T> &dz, const MatrixView<T> &dx) {
                const py::gil_scoped_acquire acquire;
                put(backward(copy_of(x), copy_of(z), copy_of(dz)), dx);
            }};
}

} // namespace

std::shared_ptr<const HostLayer> host_layer(py::function forward, py::function backward) {
    const SharedFunction there(std::move(forward)), back(std::move(backward));
    return std::make_shared<const HostLayer>(HostLayer{layer_of<float>(there, back), layer_of<double>(there, back)});
}

std::shared_ptr<const HostLoss> host_loss(py::function function) {
    const SharedFunction shared(std::move(function));
    return std::make_shared<const HostLoss>(HostLoss{loss_of<float>(shared), loss_of<double>(shared)});
}

std::shared_ptr<const HostMetric> host_metric(py::function function) {
    const SharedFunction shared(std::move(function));
    return std::make_shared<const HostMetric>(HostMetric{metric_of<float>(shared), metric_of<double>(shared)});
}

} // namespace ganglion::bindings
