// What the layers looked like at some of the steps: gradients, weights and outputs, gathered on the way.
#pragma once
#include "ganglion/threads.hpp"
#include "ganglion/workspace.hpp"
#include <cstdint>
#include <string_view>

namespace ganglion {

// Of a stage at a step; NaN where it has no parameters.
enum class Quantity {
    gradient_norm, // ‖∂L/∂(W, b)‖ of the batch, before clipping
    weight_norm,   // ‖(W, b)‖ before the step
    update_ratio,  // ‖change of (W, b)‖ / weight_norm
    zeros,         // share of the outputs that are 0
    saturated,     // share of the outputs within a hundredth of an end of the activation's range
    dead,          // share of the units whose output is 0 for every row of the batch; NaN for less than 16 rows
};
constexpr Index quantities = 6;

struct Monitor {
    Index every;                      // optimizer steps from one look to the next
    std::vector<std::uint64_t> steps; // that were looked at
    std::vector<double> values;       // (steps, stages, quantities)
    std::vector<double> losses;       // of every batch, looked at or not
    // Steps before the next look, from `step` on, and its own number.
    Index left(std::uint64_t step) const { return (every - static_cast<Index>(step % static_cast<std::uint64_t>(every))) % every; }
    std::uint64_t next(std::uint64_t step) const { return step + static_cast<std::uint64_t>(left(step)); }
    // Makes room for the losses of so many batches: grown little by little, they would be copied again and again.
    void expect(Index batches) {
        constexpr Index most = 1 << 20; // a run may be stopped long before its end
        const std::size_t needed = losses.size() + at(std::min(batches, most));
        if (needed > losses.capacity()) losses.reserve(std::max(needed, 2 * losses.capacity()));
    }
    // Of steps that were taken back.
    void forget_from(std::size_t look) {
        values.resize(steps.empty() ? 0 : values.size() / steps.size() * look);
        steps.resize(look);
    }
};

// How a team looks at a step that it makes: by plans that store gradients, and with memory that is kept from one look to the next.
template <class T> class Look {
  public:
    // For a network's steps with these plans: a full batch's and a short last one's.
    void prepare(const Kernels<T> &kernels, const Architecture &net, const Plan &full, const Plan &last);
    // Room for the gradients, in the parameters' layout, where nothing else has them stored.
    T *gradients() { return stored_.data(); }
    // In place of one of them.
    const Plan &storing(const Plan &plan) const { return plan.rows == full_.rows ? full_ : last_; }
    // By every thread of the team: before the update, the weights as they are,
    void keep(const Step<T> &step, int thread, int team);
    // and after it, while everything else is as the step left it, what there is to see. `cursor` is the step's own. Returns the
    // number of the next step to look at.
    std::uint64_t finish(Monitor &monitor, const Cursor &cursor, const Step<T> &step, int thread, int team, Barrier &barrier);

  private:
    // Outputs beyond which an activation is near an end of its range; `bounded`: whether it has such ends.
    struct Middle {
        bool bounded;
        T low, high;
    };
    struct Counts {
        Index zeros = 0, saturated = 0, dead = 0;
    };
    static Middle middle_of(std::string_view activation);
    static Counts count(const MatrixView<const T> &h, const Middle &middle);
    void measure(const Step<T> &step, int thread, int team);
    void record(Monitor &monitor, const Cursor &cursor, const Step<T> &step, int team) const;

    Plan full_{}, last_{};
    std::vector<Middle> middles_;                  // by stage
    Buffer<T> stored_;                             // gradients
    Buffer<T> before_;                             // the weights, and then what the step changed them by
    Buffer<double> gradients_, weights_, changes_; // Σ of squares of each row, parameter by parameter
    std::vector<Counts> counts_;                   // by thread and stage
};

} // namespace ganglion
