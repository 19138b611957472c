#include "ganglion/loss_fusion.hpp"
#include "ganglion/dispatch.hpp"
#include <algorithm>
#include <stdexcept>

namespace ganglion {
namespace {

auto activations() { return rows_of(best_kernel_set().float32.activations); } // the same rows in every set
int row_of(const char *name) { return static_cast<int>(&find_row(activations(), name, "activation") - activations().data()); }

// Losses whose value and gradient are computed from logits, for all names of theirs.
struct FromLogits {
    const char *name, *of_probabilities; // rows of the loss table
    const char *activation;              // that is inside of it
    const char *remedy;                  // for outputs that went through the other's activation
    const char *without;                 // how a model without the activation ends
};
constexpr FromLogits from_logits[] = {
    {"cross_entropy", "categorical_crossentropy", "softmax",
     "for classes that exclude each other, of which there are two or more, end the model in softmax or in logits; for independent yes "
     "or no answers use loss='binary_cross_entropy'",
     "Dense(classes)"},
    {"binary_cross_entropy", "binary_crossentropy", "sigmoid",
     "for independent yes or no answers end the model in sigmoid or in logits; for classes that exclude each other use "
     "loss='cross_entropy'",
     "Dense(1)"},
};

// The stage whose activation the last output comes out of, identities and dropouts aside; null: there is none.
const Stage *last_activation(const Architecture &net) {
    for (auto stage = net.stages.rbegin(); stage != net.stages.rend(); ++stage)
        if (stage->activation != row_of("identity") || (stage->operation != Operation::none && stage->operation != Operation::dropout))
            return &*stage;
    return nullptr;
}

const char *name_of(const Stage *stage) { return stage ? activations()[static_cast<std::size_t>(stage->activation)].name : "identity"; }

[[noreturn]] void throw_squashed_twice(const FromLogits &loss, const Stage &stage) {
    const std::string layer = "layer '" + stage.layer + "': ", inner = name_of(&stage);
    if (inner == loss.activation)
        throw std::invalid_argument(layer + "a second " + inner + " follows this one, and the loss '" + loss.name +
                                    "' is made for the outputs of a single one; remove one of them");
    throw std::invalid_argument(layer + "the loss '" + loss.name + "' has a " + loss.activation +
                                " of its own, so that the model must not end in " + inner + " as well; " + loss.remedy);
}

[[noreturn]] void throw_no_probabilities(const FromLogits &loss, const Architecture &net) {
    throw std::invalid_argument("layer '" + net.stages.back().layer + "': the loss '" + loss.of_probabilities +
                                "' takes probabilities, and these outputs may be negative; end the model in " + loss.activation +
                                ", or keep " + loss.without + " and use from_logits=True, which is loss='" + loss.name + "'");
}

[[noreturn]] void throw_always_one(const Stage &stage) {
    throw std::invalid_argument("layer '" + stage.layer + "': a softmax over one output is 1 whatever the weights are, so that " +
                                "nothing would be learned; for yes or no end the model in sigmoid");
}

bool never_negative(const std::string &activation) {
    constexpr const char *names[] = {"softmax", "sigmoid", "relu", "softplus", "step"};
    return std::find(std::begin(names), std::end(names), activation) != std::end(names);
}

} // namespace

bool fuse_loss(LossDescription &loss, Architecture &net) {
    const auto row = std::find_if(std::begin(from_logits), std::end(from_logits),
                                  [&](const FromLogits &each) { return loss.name == each.name || loss.name == each.of_probabilities; });
    if (row == std::end(from_logits)) return false;
    Stage &last = net.stages.back();
    const bool fused = last.activation == row_of(row->activation);
    if (fused) {
        last.activation = row_of("identity");
        last.needs = Needs::output;
        last.whole_rows = false;
        last.linear = true;
        loss.name = row->name;
    }
    const Stage *before = last_activation(net);
    const std::string squashed = name_of(before);
    if (loss.name == row->name) {
        if (squashed == "softmax" || squashed == "sigmoid") throw_squashed_twice(*row, *before);
    } else if (!never_negative(squashed)) {
        throw_no_probabilities(*row, net);
    } else if (squashed == "softmax" && net.outputs == 1) {
        throw_always_one(*before);
    }
    return fused;
}

} // namespace ganglion
