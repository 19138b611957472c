#include "ganglion/architecture.hpp"
#include "ganglion/arena.hpp"
#include "ganglion/dispatch.hpp"
#include <stdexcept>

namespace ganglion {
namespace {

void set_activation(Stage &stage, const std::string &name, double alpha) {
    const auto rows = rows_of(best_kernel_set().float32.activations); // the same in every set
    try {
        const auto &row = find_row(rows, name, "activation");
        stage.activation = static_cast<int>(&row - rows.data());
        stage.needs = row.needs;
        stage.whole_rows = row.whole_rows;
    } catch (const std::invalid_argument &error) {
        throw std::invalid_argument("layer '" + stage.layer + "': " + error.what());
    }
    stage.alpha = alpha;
    stage.linear = name == "identity";
}

Index add_parameter(Architecture &net, const std::string &layer, bool is_kernel, Index rows, Index columns,
                    const InitializerDescription &initializer) {
    const Index stride = row_stride(columns);
    net.parameters.push_back({layer, is_kernel, net.parameter_elements, rows, columns, stride, initializer});
    net.parameter_elements = checked_sum(net.parameter_elements, checked_product(rows, stride));
    return static_cast<Index>(net.parameters.size()) - 1;
}

} // namespace

Architecture build_architecture(Index inputs, const std::vector<LayerDescription> &layers) {
    if (inputs <= 0) throw std::invalid_argument("a network needs at least one input feature, not " + std::to_string(inputs));
    if (layers.empty()) throw std::invalid_argument("a network needs at least one layer");
    Architecture net{inputs, inputs, {}, {}, 0, 0};
    bool mergeable = false; // the last stage is a dense layer without an activation
    for (const LayerDescription &layer : layers) {
        if (const auto *dense = std::get_if<DenseLayer>(&layer)) {
            if (dense->units <= 0)
                throw std::invalid_argument("layer '" + dense->name + "': units must be at least 1, not " + std::to_string(dense->units));
            Stage stage{};
            stage.layer = dense->name;
            stage.inputs = net.outputs;
            stage.outputs = dense->units;
            stage.kernel = add_parameter(net, dense->name, true, stage.inputs, stage.outputs, dense->kernel_initializer);
            net.parameters.back().l1 = dense->l1;
            net.parameters.back().l2 = dense->l2;
            stage.bias = dense->use_bias ? add_parameter(net, dense->name, false, 1, stage.outputs, dense->bias_initializer) : -1;
            stage.transposed = -1;
            if (!net.stages.empty()) { // the first stage's input gradient is nobody's
                stage.transposed = net.transposed_elements;
                net.transposed_elements = checked_sum(net.transposed_elements, checked_product(stage.outputs, row_stride(stage.inputs)));
            }
            set_activation(stage, dense->activation, dense->alpha);
            mergeable = dense->activation == "identity";
            net.stages.push_back(stage);
            net.outputs = dense->units;
        } else {
            const auto &activation = std::get<ActivationLayer>(layer);
            if (!mergeable) {
                Stage stage{};
                stage.inputs = stage.outputs = net.outputs;
                stage.kernel = stage.bias = stage.transposed = -1;
                net.stages.push_back(stage);
            }
            Stage &stage = net.stages.back();
            if (!mergeable) stage.layer = activation.name;
            set_activation(stage, activation.activation, activation.alpha);
            mergeable = false;
        }
    }
    return net;
}

} // namespace ganglion
