// The core's templates behind the types that Python sees: a network or training of either float type.
#pragma once
#include "arrays.hpp"
#include "ganglion/run.hpp"
#include <optional>

namespace ganglion::bindings {

// The best set of the machine, or the named one, and a number of threads, or none: as many as the work is worth.
Context make_context(const std::optional<std::string> &kernel_set, std::optional<int> threads);

struct NetworkHandle {
    std::variant<std::shared_ptr<Network<float>>, std::shared_ptr<Network<double>>> network;
};

// x and targets; the arrays stay exported while this lives.
struct FeedHandle {
    py::array x;
    std::optional<py::array> values;
    std::vector<std::int32_t> labels;
    std::vector<double> weights; // empty: all 1
};

void bind_activations(py::module_ &module);
void bind_tables(py::module_ &module);
void bind_network(py::module_ &module);
void bind_training(py::module_ &module);
void bind_passes(py::module_ &module);
void bind_speed(py::module_ &module); // after bind_operations, to which it adds

} // namespace ganglion::bindings
