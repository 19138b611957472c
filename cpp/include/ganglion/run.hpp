// The one entry to training, and its relatives that change nothing.
#pragma once
#include "ganglion/device.hpp"

namespace ganglion {

struct RunOptions {
    Index batch_size;
    Index steps;
    bool shuffle;
    std::optional<Strategy> strategy;    // none: measured
    Stop stop;                           // may be empty
    bool part = false;                   // the feed is one batch of an epoch that goes on after it, until the caller ends it
    bool last = false;                   // of these parts: what was accumulated is used
    std::optional<Balance> balance = {}; // for this run: of as many threads as the context's, with the strategy given
};

struct Report {
    std::string kernel_set;
    int team;
    std::vector<std::string> phases; // of a full batch
    std::vector<double> seconds;     // of each phase, mean of a step
    ByThread parts;                  // what part of the rows and of the weights each thread was to have in the last steps
    ByThread allotted;               // and what it had, as units are whole
    Index steps;
    Index careful_steps; // of these, the ones whose gradients were stored and tested because they might have overflowed
    Counts counts;
    std::vector<double> epochs;  // (finished epochs, 1 + metrics): mean loss, metrics
    std::vector<double> running; // the same of the epoch under way; empty at an epoch's end
    bool stopped;
};

// Makes up to `steps` optimizer steps from where training.state is. Throws NonFiniteInput, Diverged (the step it names was
// not made) and std::invalid_argument; the report then tells what was done before. The caller holds network->busy.
// `processor` is the training's own.
template <class T>
void run(const Context &context, Training<T> &training, Processor<T> &processor, const Feed<T> &feed, const RunOptions &options,
         Report &report);

struct Evaluation {
    double loss;
    std::vector<double> metrics;
};

// Asked now and then by the calling thread; true: give up, with results that mean nothing.
using Interrupted = std::function<bool()>;

// Mean loss and metrics over the whole feed, in leaves of 128 rows.
template <class T>
Evaluation evaluate(const Context &context, const Training<T> &training, const Feed<T> &feed, const Interrupted &interrupted = {});

template <class T> struct Gradients {
    double loss;
    Buffer<T> values; // in the parameters' layout
};

// Of the whole feed as one batch. Nothing changes.
template <class T> Gradients<T> gradients(const Context &context, const Training<T> &training, const Feed<T> &feed);

// out (n, O) = the last layer's output for each row of x. Throws NonFiniteInput.
template <class T>
void predict(const Context &context, const Network<T> &network, const Source &x, MatrixView<T> out, const Interrupted &interrupted = {});

} // namespace ganglion
