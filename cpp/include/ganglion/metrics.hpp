// Metrics: numbers for people, from the outputs and targets of an epoch's or a data set's rows. A table; a new metric is one
// row in metrics.cpp.
#pragma once
#include "ganglion/arena.hpp"
#include "ganglion/host.hpp"
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ganglion {

struct MetricDescription {
    std::string name;
    double threshold = 0.5; // above which an output says yes
    Index k = 5;
    bool columns = false;                        // each output says yes or no of its own; else the largest says which class
    std::shared_ptr<const HostMetric> host = {}; // in place of a row
};

// What the rows so far come to.
struct MetricState {
    struct Score {
        double value;
        bool positive;
    };
    std::vector<double> sums;
    std::vector<Score> scores; // of each row, for a metric that must compare rows
    void clear();
    void add(MetricState &&later);
};

struct MetricRow;

// A metric of a network of so many outputs.
struct Metric {
    const MetricRow *row;
    MetricDescription description;
    Index outputs;
    int activation = -1; // of the model's last layer, where training leaves it to the loss: a row of the activation table
    double alpha = 0;
    Index values() const; // noted of each row
    MetricState begin() const;
    double finish(const MetricState &state, Index rows) const;
    bool at_end() const; // takes too long to be asked for while an epoch is under way
};

// Rows of a batch as a metric sees them.
template <class T> struct MetricPanel {
    const Kernels<T> *kernels;
    MatrixView<const T> output;
    Targets<T> targets;
    std::int32_t *classes; // (B,): scratch
    T *activated;          // (O,): scratch
};

struct MetricRow {
    const char *name;
    void (*check)(const Metric &metric, TargetKind target);
    Index (*values)(const Metric &metric);
    Index (*sums)(const Metric &metric);
    // Number v of row r goes to values[v * stride + r].
    void (*note_float)(const Metric &metric, const MetricPanel<float> &panel, double *values, Index stride);
    void (*note_double)(const Metric &metric, const MetricPanel<double> &panel, double *values, Index stride);
    // What was noted of some rows, into the state; sums in the tree over leaves.
    void (*add)(const Metric &metric, const double *values, Index stride, Index rows, MetricState &state);
    double (*finish)(const Metric &metric, const MetricState &state, Index rows);
    bool at_end;
};

std::span<const MetricRow> metrics();

// Throws std::invalid_argument for an unknown name, and where the metric does not fit the outputs or the kind of targets.
Metric make_metric(MetricDescription description, Index outputs, TargetKind target);

template <class T> void note(const Metric &metric, const MetricPanel<T> &panel, double *values, Index stride);

} // namespace ganglion
