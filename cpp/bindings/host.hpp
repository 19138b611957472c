// Python functions as host losses and metrics.
#pragma once
#include "arrays.hpp"
#include "ganglion/host.hpp"

namespace ganglion::bindings {

// function(z (n, O), targets (n,) or (n, O)) gives (losses (n,), d (n, O)) in z's type, or None where it failed: then all is NaN.
std::shared_ptr<const HostLoss> host_loss(py::function function);
// forward(x (n, I)) gives (n, I); backward(x, z, dz) gives dx; or None.
std::shared_ptr<const HostLayer> host_layer(py::function forward, py::function backward);
// function(y (n, O), targets) gives float64 (n,), or None.
std::shared_ptr<const HostMetric> host_metric(py::function function);

} // namespace ganglion::bindings
