// What a network is, as plain data: its stages and where their parameters lie in one flat buffer.
#pragma once
#include "ganglion/initializers.hpp"
#include "ganglion/kernel_set.hpp"
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

using LayerDescription = std::variant<DenseLayer, ActivationLayer>;

// A kernel (I, O) or a bias (1, O) in the flat buffer of parameters.
struct Parameter {
    std::string layer;
    bool is_kernel;
    Index offset, rows, columns, stride;
    InitializerDescription initializer;
    double l1 = 0, l2 = 0; // of the penalty l1 Σ |w| + l2 Σ w², at least 0
};

// One activation with, before it, at most one product with a kernel: h = f(x · W + b).
struct Stage {
    std::string layer;
    Index inputs, outputs;
    Index kernel = -1, bias = -1; // numbers of parameters; -1: none
    Index transposed = -1;        // offset of Wᵀ (O, I) among the transposed copies; -1: never needed
    int activation;               // row of the activation table
    double alpha;
    Needs needs;
    bool whole_rows;
    bool linear; // the activation is the identity
};

struct Architecture {
    Index inputs, outputs;
    std::vector<Stage> stages;
    std::vector<Parameter> parameters;
    Index parameter_elements;  // of the flat buffer, padding included
    Index transposed_elements; // of the buffer of transposed copies
};

inline bool penalized(const Parameter &parameter) { return parameter.l1 > 0 || parameter.l2 > 0; }
inline bool penalized(const Architecture &net) {
    for (const Parameter &parameter : net.parameters)
        if (penalized(parameter)) return true;
    return false;
}

// Merges an activation layer into the dense stage before it when that has none of its own. Throws std::invalid_argument
// for unknown activations and impossible sizes, naming the layer.
Architecture build_architecture(Index inputs, const std::vector<LayerDescription> &layers);

} // namespace ganglion
