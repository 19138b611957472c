// The memory of a batch on its way through the phases, and what a unit of work is given.
#pragma once
#include "ganglion/context.hpp"
#include "ganglion/copying.hpp"
#include "ganglion/metrics.hpp"
#include "ganglion/optimizer.hpp"
#include "ganglion/plan.hpp"
#include <limits>
#include <vector>

namespace ganglion {

// The largest magnitudes one thread has seen; a NaN is larger than all. The threads read each other's: what a step's phases note of a
// small network is one cache line, and |w|, which is read while a thread may be at its next step, is another.
template <class T> class alignas(64) Notes {
  public:
    Notes() = default;
    explicit Notes(std::size_t stages) : stages_(static_cast<Index>(stages)), values_(apart + 2 + 3 * stages_) {}
    std::size_t stages() const { return static_cast<std::size_t>(stages_); }

    // Of this step: |x|, the losses, and by stage |h|, |dz|, |dw|.
    T &input() { return values_[apart]; }
    T &loss() { return values_[apart + 1]; }
    T &output(std::size_t stage) { return values_[at(0, stage)]; }
    T &delta(std::size_t stage) { return values_[at(1, stage)]; }
    T &gradient(std::size_t stage) { return values_[at(2, stage)]; }
    const T &input() const { return values_[apart]; }
    const T &loss() const { return values_[apart + 1]; }
    const T &output(std::size_t stage) const { return values_[at(0, stage)]; }
    const T &delta(std::size_t stage) const { return values_[at(1, stage)]; }
    const T &gradient(std::size_t stage) const { return values_[at(2, stage)]; }
    // Of this run, |w|: others may still read it when the next step begins.
    T &weight() { return values_[0]; }

    void reset();                        // for a new step: all but those of the run
    void merge_rows(const Notes &other); // what the row phases noted

  private:
    static constexpr Index apart = 128 / sizeof(T); // two lines, as the next one is fetched along with one
    Index at(Index kind, std::size_t stage) const { return apart + 2 + kind * stages_ + static_cast<Index>(stage); }
    Index stages_ = 0;
    Buffer<T> values_;
};

// What a run did in ways of its own.
struct Counts {
    Index sparse_products = 0; // of panels of rows and tiles of kernels, whose zeros were left out
    Index descents = 0;        // tiles of kernels that were updated by their gradient's product
    Index taken_over = 0;      // units that a thread that was through took over from another
    Index copied_lines = 0;    // of next batches, by products
    Counts &operator+=(const Counts &other) {
        sparse_products += other.sparse_products;
        descents += other.descents;
        taken_over += other.taken_over;
        copied_lines += other.copied_lines;
        return *this;
    }
};

// One thread's memory.
template <class T> struct alignas(64) Scratch {
    Buffer<T> kernel_tiles, bias_tiles; // of gradients, one for each slot of the tree over leaves
    Index kernel_tile = 0;              // elements of each in kernel_tiles: the network's largest
    Buffer<T> left, right, mirrored;    // of a sparse product: xᵀ or dzᵀ of a leaf, x if it is not aligned, dwᵀ
    std::vector<Lines> ahead;           // that products may fetch beside their arithmetic
    Copying<T> copying;                 // of the next batch, beside it too
    Buffer<T> transposed;               // Wᵀ as in the parameters, where each thread of a team may have its own
    std::vector<char> stale;            // by stage: W has changed since
    std::vector<std::int32_t> classes;  // (panel,): for metrics
    Buffer<T> activated;                // (O,): for metrics
    Seen<T> seen;                       // of the batch
    Counts counts;                      // of this run
    Notes<T> notes;
    Notes<T> merged; // of all threads, after the row phases
};

// Rows of what a normalization over the batch knows of its columns.
enum class Statistic { mean, variance, root, sums, products, factor, shift, slope };
constexpr Index statistic_rows = 8;

// What a normalization keeps for its backward.
template <class T> struct Normalized {
    Buffer<T> values;     // x̂ (B, O)
    Buffer<T> statistics; // (statistic_rows, O) of the columns over a batch; 1 / √(variance + ε) (B,) of the rows
};

// Where in training a step is: what its dropout masks are drawn from.
struct Moment {
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;
    std::uint32_t step = 0; // of those since training began; no two steps with other masks have the same
};

// Buffers of a batch of up to `capacity` rows.
template <class T> struct Workspace {
    Index capacity = 0;
    Buffer<T> x[2];                        // (B, I): the batch, where x is not read in place, and in training the next one
    std::vector<Buffer<T>> h, z, d;        // by stage (B, O): output, input of the activation where its backward needs it, dz
    std::vector<Normalized<T>> normalized; // by stage; empty where it is no normalization
    Buffer<T> losses;                      // (B,)
    std::vector<Buffer<double>> metrics;   // by metric (values, B)
    Buffer<T> gradients;                   // like the parameters, where something needs them stored
    Buffer<double> squares;                // Σ of squares of each row of them, parameter by parameter
    Buffer<double> penalties;              // of each row of the parameters, in the same order
    std::vector<Scratch<T>> threads;
};

// All that a unit of work reads and writes; made anew for each step, on each thread.
template <class T> struct Step {
    const Kernels<T> *kernels;
    const Architecture *net;
    Parameters<T> *parameters;
    T *moments[2] = {nullptr, nullptr};
    const Feed<T> *feed;
    Workspace<T> *workspace;
    const LossKernels<T> *loss;
    const OptimizerKernels<T> *optimizer = nullptr;
    const std::vector<Metric> *metrics;
    const std::int32_t *order = nullptr; // of the epoch
    Index first = 0, rows = 0;           // of the batch in the epoch
    MatrixView<const T> x = {};          // (B, I): the batch, in place or as the workspace's rows
    bool in_place = false;
    T loss_scale = 0; // 1 / B, or 1 / (B · O)
    T constants[most_constants] = {};
    T loss_parameter = 0;
    const HostLoss *host = nullptr;                                            // in place of `loss`
    T *gradients = nullptr;                                                    // where they are stored, like the parameters
    bool adds_gradients = false;                                               // to those that are there
    bool updates = true;                                                       // else the optimizer waits for more of them
    T gradient_scale = 1, gradient_bound = std::numeric_limits<T>::infinity(); // before the optimizer sees them
    T *transposed = nullptr;                                                   // the thread's own Wᵀ, or null: the parameters'
    bool finite = false;   // all weights, so that zeros may be left out of products; in the tiles h and dz are in any case
    bool training = false; // else dropouts do nothing and normalizations over the batch take the moving statistics
    Moment moment = {};
    int slot = 0;          // of the batch in the workspace
    int team = 1;          // threads that make this step together
    bool gathered = false; // it is there already, or in place, and looked at
    bool copied = false;   // it is there already, and not looked at
    bool copies = false;   // products copy the next one
    bool looks = false;    // it is looked at beside the first product
};

// Allocates for forward passes over up to `rows` rows on one thread.
template <class T> Workspace<T> make_forward_workspace(const Architecture &net, Index rows);
// Scratch memory for a team of this size, where there is less.
template <class T> void add_threads(Workspace<T> &space, const Architecture &net, int team);
// The same with what losses and metrics need.
template <class T> Workspace<T> make_loss_workspace(const Architecture &net, Index rows, const std::vector<Metric> &metrics);
// Allocates for training steps on batches of up to `rows` rows by up to `team` threads. `stored`: gradients have a buffer of
// their own.
template <class T>
Workspace<T> make_workspace(const Architecture &net, Index rows, int team, const std::vector<Metric> &metrics, bool stored);

// Rows of the parameters before this one.
inline Index parameter_rows(const Architecture &net, Index parameter) {
    Index rows = 0;
    for (Index p = 0; p < parameter; ++p) rows += net.parameters[static_cast<std::size_t>(p)].rows;
    return rows;
}

template <class T> void keep_largest(T &largest, T value) {
    if (value > largest || value != value) largest = value;
}

inline std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// Rows and columns of a (B, width) buffer, to write or to read. Views are made where they are used and never copied: a copy's wide
// load would wait for the narrow stores that made the original.
template <class T> MatrixView<T> view(Buffer<T> &buffer, Index row, Index rows, Index column, Index columns, Index width) {
    const Index stride = row_stride(width);
    return {buffer.data() + row * stride + column, rows, columns, stride};
}
template <class T> MatrixView<const T> read(const Buffer<T> &buffer, Index row, Index rows, Index column, Index columns, Index width) {
    const Index stride = row_stride(width);
    return {buffer.data() + row * stride + column, rows, columns, stride};
}

template <class T> void copy_columns(const MatrixView<const T> &from, Index column, const MatrixView<T> &to) {
    for (Index r = 0; r < to.rows; ++r) std::copy_n(from.data + r * from.stride + column, to.columns, to.data + r * to.stride);
}

// Wᵀ (O,I) of a stage.
template <class T>
void transpose_weights(const Kernels<T> &kernels, const Architecture &net, const Stage &stage, const Parameters<T> &parameters, T *to) {
    const Parameter &w = net.parameters[at(stage.kernel)];
    kernels.transpose({parameters.values.data() + w.offset, w.rows, w.columns, w.stride}, to, row_stride(stage.inputs));
}

// What stage `s` reads: some of its columns, for some rows.
template <class T> MatrixView<const T> input_rows(const Step<T> &step, Index s, Index row, Index rows, Index column, Index columns) {
    if (s == 0) return {step.x.data + row * step.x.stride + column, rows, columns, step.x.stride};
    return read(step.workspace->h[at(s - 1)], row, rows, column, columns, step.net->stages[at(s)].inputs);
}

} // namespace ganglion
