// What changes while a network is trained, as two values that can be copied: the parameters, which belong to the network,
// and the training state, which belongs to whoever trains it, because several trainers may share one network.
#pragma once
#include "ganglion/arena.hpp"
#include "ganglion/architecture.hpp"
#include "ganglion/metrics.hpp"
#include <cstdint>
#include <optional>
#include <vector>

namespace ganglion {

template <class T> struct Parameters {
    Buffer<T> values;                     // kernels and biases at the offsets of the architecture; padding is zero
    Buffer<T> transposed;                 // Wᵀ of the stages that propagate gradients; a cache
    std::uint64_t version = 1;            // raised by every write
    std::uint64_t transposed_version = 0; // of the values that `transposed` was made from
    T largest = 0;                        // an upper bound of |values|
};

// Where training is.
struct Cursor {
    std::uint64_t step = 0; // optimizer steps made
    Index epoch = 0;
    Index position = 0; // batches done in this epoch
    Index batches = 0;  // of them, the ones whose gradients wait for the next optimizer step
    double beta1_power = 1, beta2_power = 1;
};

template <class T> struct TrainingState {
    Buffer<T> moments[2];        // like Parameters::values; empty where the optimizer has none
    double largest_moment = 0;   // an upper bound of |moments[0]|
    Buffer<T> gradients;         // Σ of those of the waiting batches, like Parameters::values; empty unless batches are summed
    double largest_gradient = 0; // an upper bound of |gradients|
    Cursor cursor;
    std::optional<double> learning_rate; // in place of the schedule's
    // Of the epoch under way, over `rows` rows: Σ mean loss · rows, and what the metrics have seen.
    double loss = 0;
    std::vector<MetricState> metrics;
    Index rows = 0;
};

} // namespace ganglion
