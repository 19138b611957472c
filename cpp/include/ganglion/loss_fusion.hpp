// Cross-entropies and the softmax or sigmoid before them: computed together from the logits, and never applied twice.
#pragma once
#include "ganglion/host.hpp"
#include <memory>
#include "ganglion/architecture.hpp"

namespace ganglion {

struct LossDescription {
    std::string name;                          // a row of the kernel sets' table
    double parameter = 0;                      // huber's delta
    std::shared_ptr<const HostLoss> host = {}; // in place of a row
};

// Takes a final softmax or sigmoid out of the architecture where the loss brings its own, and makes the loss that of the
// logits; returns whether there was one. Throws std::invalid_argument, naming the layer, where a network's outputs are not what
// the loss takes: probabilities for logits, or the reverse.
bool fuse_loss(LossDescription &loss, Architecture &net);

} // namespace ganglion
