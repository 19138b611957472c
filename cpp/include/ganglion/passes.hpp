// A training step taken apart, for loops written by hand: forward passes that keep their activations, losses of their outputs,
// backward passes that add to gradients, and updates from these. The kernels and the orders of sums are a whole step's, and
// so are the bits.
#pragma once
#include "ganglion/training.hpp"
#include <array>
#include <atomic>
#include <mutex>

namespace ganglion {

enum class GradientState {
    none,   // of no backward pass since the last zero
    summed, // of one or more
    applied // and an update has used it
};

// What the passes over one network share: its gradients, and memory that finished passes leave to the next. Whoever adds or
// forgets gradients holds a Claim to the network; memory is taken and given back from any thread.
template <class T> class Passes {
  public:
    explicit Passes(std::shared_ptr<Network<T>> of);

    // Forgets the gradients of these parameters. Throws std::runtime_error where the network is being trained.
    void zero(const std::vector<std::size_t> &parameters);
    // Adds `fresh`, in the parameters' layout; its contents are lost.
    void add(const Kernels<T> &kernels, Buffer<T> &fresh);

    // Memory for up to `rows` rows on up to `team` threads.
    Workspace<T> take(Index rows, int team);
    void give_back(Workspace<T> space);

    const std::shared_ptr<Network<T>> network;
    const std::vector<Unit> tiles;          // of all kernels' gradients
    Buffer<T> sums, fresh;                  // like the parameters: gradients so far, and those of a backward pass under way
    std::vector<GradientState> states;      // of `sums`, by parameter
    std::uint64_t updates = 0;              // made from `sums`
    std::atomic<std::uint32_t> trained = 0; // forward passes in training so far

  private:
    std::mutex busy_;
    std::vector<Workspace<T>> kept_;
};

// The mean loss of some rows, and its gradient with respect to the outputs.
template <class T> struct LossGradient {
    double loss;
    Buffer<T> d; // (B, O), rows row_stride(O) apart, their padding zero
};

// Of outputs y, whose padded rows are row_stride(O) apart, and the feed's targets.
template <class T>
LossGradient<T> loss_gradient(const Context &context, const LossDescription &loss, TargetKind target, MatrixView<const T> y,
                              const Feed<T> &targets);

// One forward pass over a batch, which it keeps a copy of. In training, dropouts drop and normalizations over the batch take its
// statistics, which the moving ones follow. Throws NonFiniteInput, and std::runtime_error where the moving statistics would change
// while the network is being trained.
template <class T> class Pass {
  public:
    Pass(const Context &context, std::shared_ptr<Passes<T>> passes, const Source &x, bool training);
    ~Pass();
    Pass(const Pass &) = delete;
    Pass &operator=(const Pass &) = delete;

    MatrixView<const T> output() const; // (B, O)
    // From factor · dL/dy (B, O) to the gradients. Throws std::runtime_error where the weights have changed since or a gradient
    // has been applied and not been zeroed, and Diverged where one is not finite; the gradients are then what they were.
    void backward(const Context &context, const LossGradient<T> &loss, T factor);

  private:
    Step<T> step(const Kernels<T> &kernels);
    void judge(const Notes<T> &notes, double loss) const;
    // Calls body(first row, rows, thread's memory) for panels of the batch.
    template <class Body> void for_panels(Body body);
    // Calls body(unit, thread's memory) for columns of a stage.
    template <class Body> void for_columns(Index stage, Body body);
    void move_all_statistics(const Step<T> &step);

    const std::shared_ptr<Passes<T>> passes_;
    const std::uint64_t version_; // of the parameters
    const Index rows_;
    const int team_;
    const bool training_;
    const Moment moment_;
    Workspace<T> space_;
};

// Some parameters that an optimizer updates in the same way, with what it knows of them.
template <class T> struct UpdateGroup {
    std::vector<std::size_t> parameters;
    OptimizerDescription optimizer;
    Cursor cursor;
    double largest_moment = 0;
};

// An optimizer over a network's parameters, or some of them.
template <class T> class Updates {
  public:
    Updates(std::shared_ptr<Passes<T>> passes, std::vector<UpdateGroup<T>> groups);
    void set_optimizer(std::size_t group, OptimizerDescription optimizer);
    // One update with a learning rate for each group. Throws Diverged where a gradient, moment or weight would not be finite, and
    // std::runtime_error where there is no gradient; nothing has changed then.
    void step(const Context &context, const std::vector<double> &rates);

  private:
    using Constants = std::array<double, most_constants>;
    bool bounded(const Kernels<T> &kernels, UpdateGroup<T> &group, const Constants &constants) const;
    void update(const Kernels<T> &kernels, const UpdateGroup<T> &group, const Constants &constants);
    void check_updated(const Kernels<T> &kernels);

    const std::shared_ptr<Passes<T>> passes_;
    std::vector<UpdateGroup<T>> groups_;
    Buffer<T> moments_[2]; // like the parameters; empty where no group has them
};

} // namespace ganglion
