// What a step's notes say: may its gradients go on to the weights?
#pragma once
#include "ganglion/device.hpp"

namespace ganglion {

struct Verdict {
    Outcome outcome = Outcome::done;
    std::size_t stage = 0;
    const char *what = "loss";
};

// Is all finite that the row phases made?
template <class T> Verdict judge_rows(const Notes<T> &notes);

// And the gradients that such a team stored?
template <class T> Verdict judge_gradients(const Workspace<T> &space, int team);

// The largest |dw| and |db| that these notes of a batch of so many rows allow.
template <class T> double largest_gradient(const Architecture &net, const Notes<T> &notes, Index rows);

} // namespace ganglion
