// Losses, metrics and layers that are written in the caller's own language: the slow way, for what no row of the tables does. Whichever
// thread has rows for them calls them, with panels of any size, so that what they say of a row must depend on that row alone.
#pragma once
#include "ganglion/kernel_set.hpp"
#include <functional>

namespace ganglion {

template <class T> using LossOfRows =
    std::function<void(const MatrixView<const T> &z, const Targets<T> &, T *losses, const MatrixView<T> &d)>;

// losses[r] and d = ∂losses[r]/∂z of each row, unweighted. They do not throw: NaN ends the step.
struct HostLoss {
    LossOfRows<float> float32;
    LossOfRows<double> float64;
};

// One number a row, whose mean is the metric.
template <class T> using MetricOfRows = std::function<void(const MatrixView<const T> &y, const Targets<T> &, double *values)>;
struct HostMetric {
    MetricOfRows<float> float32;
    MetricOfRows<double> float64;
};

// A layer without parameters, as many outputs as inputs: z of x; and dx of dz, given x and z. They do not throw: NaN ends the step.
template <class T> using ForwardRows = std::function<void(const MatrixView<const T> &x, const MatrixView<T> &z)>;
template <class T>
using BackwardRows =
    std::function<void(const MatrixView<const T> &x, const MatrixView<const T> &z, const MatrixView<const T> &dz, const MatrixView<T> &dx)>;
template <class T> struct LayerOfRows {
    ForwardRows<T> forward;
    BackwardRows<T> backward;
};
struct HostLayer {
    LayerOfRows<float> float32;
    LayerOfRows<double> float64;
};

template <class T> const auto &of_type(const HostLayer &host) {
    if constexpr (sizeof(T) == 4) return host.float32;
    else return host.float64;
}
template <class T> const auto &of_type(const HostLoss &host) {
    if constexpr (sizeof(T) == 4) return host.float32;
    else return host.float64;
}
template <class T> const auto &of_type(const HostMetric &host) {
    if constexpr (sizeof(T) == 4) return host.float32;
    else return host.float64;
}

} // namespace ganglion
