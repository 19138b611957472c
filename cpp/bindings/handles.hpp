// The core's templates behind the types that Python sees: a network or training of either float type.
#pragma once
#include "arrays.hpp"
#include "ganglion/run.hpp"
#include <optional>
#include <tuple>

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
    std::vector<double> weights;                                                            // empty: all 1
    mutable std::tuple<std::optional<Feed<float>>, std::optional<Feed<double>>> feeds = {}; // made when first asked for
};

// What the core reads from, which lives as long as the handle. Throws py::value_error where arrays do not fit each other.
template <class T> const Feed<T> &feed_of(const FeedHandle &handle);

// Ctrl-C during a call of the core: looked for while it runs, raised after it.
class Signals {
  public:
    bool arrived() {
        const py::gil_scoped_acquire acquire;
        if (PyErr_CheckSignals() == 0) return false;
        error_.emplace();
        return true;
    }
    void raise() {
        if (error_) throw std::move(*error_);
    }

  private:
    std::optional<py::error_already_set> error_;
};

void bind_activations(py::module_ &module);
void bind_tables(py::module_ &module);
void bind_network(py::module_ &module);
void bind_feed(py::module_ &module);
void bind_descriptions(py::module_ &module);
void bind_training(py::module_ &module);
void bind_passes(py::module_ &module);
void bind_products(py::module_ &module);
void bind_speed(py::module_ &module); // after bind_operations, to which it adds
void bind_teams(py::module_ &module); // the same

} // namespace ganglion::bindings
