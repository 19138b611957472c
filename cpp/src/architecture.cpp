#include "ganglion/architecture.hpp"
#include "ganglion/arena.hpp"
#include "ganglion/dispatch.hpp"
#include <limits>
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

// Builds stage after stage. `outputs` of the network are those of the stages so far.
class Builder {
  public:
    Builder(Architecture &net) : net_(net) {}

    void add(const DenseLayer &layer) {
        if (layer.units <= 0)
            throw std::invalid_argument("layer '" + layer.name + "': units must be at least 1, not " + std::to_string(layer.units));
        const bool propagates = !net_.stages.empty(); // the first stage's input gradient is nobody's
        Stage &stage = add_stage(layer.name, Operation::product, layer.units);
        stage.kernel = add_parameter(net_, layer.name, true, stage.inputs, stage.outputs, layer.kernel_initializer);
        net_.parameters.back().l1 = layer.l1;
        net_.parameters.back().l2 = layer.l2;
        if (layer.use_bias) stage.bias = add_parameter(net_, layer.name, false, 1, stage.outputs, layer.bias_initializer);
        if (propagates) {
            stage.transposed = net_.transposed_elements;
            net_.transposed_elements = checked_sum(net_.transposed_elements, checked_product(stage.outputs, row_stride(stage.inputs)));
        }
        set_activation(stage, layer.activation, layer.alpha);
        mergeable_ = layer.activation == "identity";
    }

    void add(const ActivationLayer &layer) {
        if (layer.activation == "identity" && !net_.stages.empty()) return; // it changes nothing
        Stage &stage = mergeable_ ? net_.stages.back() : add_stage(layer.name, Operation::none, net_.outputs);
        set_activation(stage, layer.activation, layer.alpha);
        mergeable_ = false;
    }

    void add(const DropoutLayer &layer) {
        if (!(layer.rate >= 0 && layer.rate < 1))
            throw std::invalid_argument("layer '" + layer.name + "': rate must be at least 0 and below 1, not " +
                                        std::to_string(layer.rate));
        Stage &stage = add_stage(layer.name, Operation::dropout, net_.outputs);
        stage.rate = layer.rate;
        stage.stream = dropouts_++;
    }

    void add(const NormalizationLayer &layer) {
        if (!(layer.epsilon >= std::numeric_limits<float>::min())) // the statistics' roots and |x̂| are bounded then
            throw std::invalid_argument("layer '" + layer.name + "': epsilon must be at least the smallest normal float, not " +
                                        std::to_string(layer.epsilon));
        Stage &stage = add_stage(layer.name, layer.over_batch ? Operation::batches : Operation::features, net_.outputs);
        stage.epsilon = layer.epsilon;
        stage.momentum = layer.momentum;
        if (layer.scale) stage.gamma = add_row(layer.name, 1);
        if (layer.center) stage.bias = add_row(layer.name, 0);
        if (layer.over_batch) {
            stage.moving_mean = add_row(layer.name, 0);
            stage.moving_variance = add_row(layer.name, 1);
            for (const Index number : {stage.moving_mean, stage.moving_variance})
                net_.parameters[static_cast<std::size_t>(number)].trainable = false;
            net_.parameters.back().negative = false;
        }
        mergeable_ = true;
    }

    void add(const RescaleLayer &layer) {
        if (net_.stages.empty() && !net_.input_scale.given) {
            net_.input_scale = {true, layer.name, layer.scale, layer.offset};
            return;
        }
        Stage &stage = add_stage(layer.name, Operation::rescale, net_.outputs);
        stage.scale = layer.scale;
        stage.offset = layer.offset;
        mergeable_ = true;
    }

    void add(const FlattenLayer &) {}

    void add(const CustomLayer &layer) {
        add_stage(layer.name, Operation::host, net_.outputs).host = layer.host;
        mergeable_ = false;
    }

  private:
    Stage &add_stage(const std::string &name, Operation operation, Index outputs) {
        Stage &stage = net_.stages.emplace_back();
        stage.layer = name;
        stage.operation = operation;
        stage.inputs = net_.outputs;
        stage.outputs = net_.outputs = outputs;
        set_activation(stage, "identity", 0);
        mergeable_ = false;
        return stage;
    }

    Index add_row(const std::string &layer, double initial) {
        return add_parameter(net_, layer, false, 1, net_.outputs, {"constant", initial});
    }

    Architecture &net_;
    bool mergeable_ = false;     // the last stage has no activation yet
    std::uint32_t dropouts_ = 0; // so far
};

} // namespace

Architecture build_architecture(Index inputs, const std::vector<LayerDescription> &layers) {
    if (inputs <= 0) throw std::invalid_argument("a network needs at least one input feature, not " + std::to_string(inputs));
    if (layers.empty()) throw std::invalid_argument("a network needs at least one layer");
    Architecture net{inputs, inputs, {}, {}, 0, 0};
    Builder builder(net);
    for (const LayerDescription &layer : layers) std::visit([&](const auto &description) { builder.add(description); }, layer);
    if (net.stages.empty()) // what only rescales or flattens has an output all the same
        builder.add(ActivationLayer{std::visit([](const auto &description) { return description.name; }, layers.back()), "identity", 0});
    return net;
}

} // namespace ganglion
