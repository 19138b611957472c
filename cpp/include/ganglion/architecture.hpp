// What a network is, as plain data: its stages and where their parameters lie in one flat buffer.
#pragma once
#include "ganglion/host.hpp"
#include "ganglion/initializers.hpp"
#include "ganglion/kernel_set.hpp"
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace ganglion {

struct DenseLayer {
    std::string name;
    Index units;
    bool use_bias;
    std::string activation;
    double alpha; // the activation's parameter
    InitializerDescription kernel_initializer, bias_initializer;
    double l1 = 0, l2 = 0; // of the kernel's penalty
};

struct ActivationLayer {
    std::string name;
    std::string activation;
    double alpha;
};

struct DropoutLayer {
    std::string name;
    double rate; // share of the elements to drop, in [0, 1)
};

struct NormalizationLayer {
    std::string name;
    bool over_batch; // statistics of each column over the batch, and moving ones; else of each row over its columns
    double epsilon;  // at least the smallest normal float
    double momentum; // of the moving statistics
    bool center, scale;
};

struct RescaleLayer {
    std::string name;
    double scale, offset;
};

struct FlattenLayer { // rows are flat already; it only has a name
    std::string name;
};

struct CustomLayer {
    std::string name;
    std::shared_ptr<const HostLayer> host;
};

using LayerDescription =
    std::variant<DenseLayer, ActivationLayer, DropoutLayer, NormalizationLayer, RescaleLayer, FlattenLayer, CustomLayer>;

// A kernel (I, O), or a row (1, O): bias, γ, β or a moving statistic, in the flat buffer of parameters.
struct Parameter {
    std::string layer;
    bool is_kernel;
    Index offset, rows, columns, stride;
    InitializerDescription initializer;
    bool trainable = true;
    bool negative = true;  // whether an element may be below 0
    double l1 = 0, l2 = 0; // of the penalty l1 Σ |w| + l2 Σ w², at least 0
};

// What a stage does to its input before bias and activation.
enum class Operation {
    product,  // x · W
    none,     // x
    dropout,  // in training x / (1 - rate), or 0; else x. It has no activation
    batches,  // γ · x̂, x normalized by its columns' statistics over the batch; outside training by the moving ones
    features, // γ · x̂, x normalized by its row's statistics
    rescale,  // x · scale + offset
    host,     // a function of whole rows of x, written elsewhere
};

// One operation and one activation: h = f(operation(x) + b).
struct Stage {
    std::string layer;
    Index inputs, outputs;
    Index kernel = -1, bias = -1; // numbers of parameters; -1: none. A normalization's β is a bias
    Index transposed = -1;        // offset of Wᵀ (O, I) among the transposed copies; -1: never needed
    int activation;               // row of the activation table
    double alpha;
    Needs needs;
    bool whole_rows;
    bool linear; // the activation is the identity
    Operation operation = Operation::none;
    Index gamma = -1, moving_mean = -1, moving_variance = -1; // numbers of parameters; -1: none
    double rate = 0;                                          // of a dropout
    std::uint32_t stream = 0;                                 // of a dropout's random numbers: dropout layers before it
    double epsilon = 0, momentum = 0;                         // of a normalization
    double scale = 1, offset = 0;                             // of a rescale
    std::shared_ptr<const HostLayer> host = {};
};

inline bool over_batch(const Stage &stage) { return stage.operation == Operation::batches; }
// Whether an operation takes and gives whole rows.
inline bool by_rows(const Stage &stage) { return stage.operation == Operation::features || stage.operation == Operation::host; }
inline bool normalizes(const Stage &stage) { return over_batch(stage) || stage.operation == Operation::features; }
// The parameter that a stage multiplies by, W or γ; -1: none.
inline Index weight_of(const Stage &stage) { return stage.kernel >= 0 ? stage.kernel : stage.gamma; }

// What is done to x on its way into the batch, by a network that begins with a rescale: T(x) · scale + offset.
struct InputScale {
    bool given = false;
    std::string layer = {};
    double scale = 1, offset = 0;
};

struct Architecture {
    Index inputs, outputs;
    std::vector<Stage> stages;
    std::vector<Parameter> parameters;
    Index parameter_elements;  // of the flat buffer, padding included
    Index transposed_elements; // of the buffer of transposed copies
    InputScale input_scale = {};
};

inline bool penalized(const Parameter &parameter) { return parameter.l1 > 0 || parameter.l2 > 0; }
inline bool penalized(const Architecture &net) {
    for (const Parameter &parameter : net.parameters)
        if (penalized(parameter)) return true;
    return false;
}

// Merges an activation layer into the dense or normalization stage before it when that has none of its own, and a first
// rescale into the gathering of x. Throws std::invalid_argument for unknown activations and impossible sizes, naming the layer.
Architecture build_architecture(Index inputs, const std::vector<LayerDescription> &layers);

} // namespace ganglion
