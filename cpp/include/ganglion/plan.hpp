// How one step is run, as plain data: phases with a barrier after each, cut into units that threads take.
#pragma once
#include "ganglion/architecture.hpp"
#include "ganglion/balance.hpp"
#include <string>
#include <vector>

namespace ganglion {

enum class PhaseKind {
    penalty,    // rows of regularized parameters: their penalties
    rows,       // row panels: gather, forward through all stages, loss, input gradients of all stages; or a part of that
    statistics, // columns of a normalization over the batch: their means and variances
    sums,       // columns of such a normalization: their sums over the batch that its gradients need
    back,       // row panels: input gradients from such a normalization on
    gather,     // row panels of x
    forward,    // tiles of one stage's output
    loss,       // row panels of the loss and its gradient
    output,     // row panels of a narrow last stage: forward, loss, input gradient
    backward,   // tiles of one stage's input gradient
    update,     // tiles of a weight gradient over the whole batch, then the optimizer on the tile
    gradients,  // tiles of a weight gradient, stored
    norm,       // rows of stored gradients: their squares
    apply,      // the optimizer on stored gradients, tile by tile
};
const char *name_of(PhaseKind kind);

// The largest tile of a weight gradient: whole 16 × 16 blocks to transpose, and columns for the widest strips of sparse products. With
// dense ones, sides of 64 (16 KiB, in L1) and of 128 (in L2) are equally fast.
constexpr Index kernel_tile_side = 128;

// A panel of rows and columns of what the phase computes: batch × features, or inputs × outputs of a kernel.
struct Unit {
    Index stage;
    Index row, rows;
    Index column, columns;
};

struct Phase {
    PhaseKind kind;
    Work work; // whose parts the threads have of it
    std::vector<Unit> units;
    std::vector<Index> first; // thread t has the units first[t] … first[t + 1] - 1
    bool open = false;        // and who is through takes over some of another's
};

// Which phases a step is made of. The bits never depend on it.
enum class Strategy {
    rows,     // two barriers a step at any depth, and four for each normalization over the batch
    layers,   // a barrier a stage, each thread with columns of its own: large weights, or batches too small to share out by rows
    stored,   // as rows, but gradients are stored before the optimizer runs
    gradients // as stored, without the optimizer
};

// What a step needs beside the plain one.
struct Demands {
    bool norm = false;          // of all gradients, before the first is used: they are stored
    bool penalty = false;       // there are regularizers
    bool sums = false;          // of the gradients of several batches make one update
    bool small_weights = false; // W and Wᵀ lie in a core's own cache
    bool stores_gradients() const { return norm || sums; }
    bool operator==(const Demands &) const = default;
};

struct Plan {
    Index rows; // B
    int team;
    Strategy strategy;
    Demands demands;
    Balance balance;
    // Each thread transposes small weights for itself, where the threads share out rows, and need not fetch Wᵀ from whoever updated it.
    bool own_transposed;
    std::vector<Phase> phases;
    ByThread allotted; // what part of the work each thread has
    std::vector<std::string> phase_names() const;
    Unit input_rows(int thread) const; // those of the batch that a thread gathers
};

// What may be the fastest for `rows` batch rows on `team` threads; which one is, depends on the machine.
std::vector<Strategy> strategies(Index rows, int team);

Plan build_plan(const Architecture &net, Index rows, const Balance &balance, Strategy strategy, const Demands &demands = {});

// Floating-point operations of one training step on `rows` rows: 6·B·Σ I·O less the first stage's input gradient.
double step_flops(const Architecture &net, Index rows);
// The gather and all stages forward, each thread with columns of its own: few rows through large weights.
Plan build_forward_plan(const Architecture &net, Index rows, int team);

// Threads for passes that are not timed first, a guess; training measures instead (team_trial.hpp). For a forward pass on elements
// of so many bytes: one for each 15 µs that it may take. For a step: one for each million operations.
int useful_forward_team(const Architecture &net, Index rows, std::size_t element);
int useful_team(const Architecture &net, Index rows);
// Whether it is worth trying to share out a step. One of a microsecond is over before its two barriers are.
bool may_share(const Architecture &net, Index rows);

} // namespace ganglion
