#include "ganglion/plan.hpp"
#include "ganglion/arena.hpp"

namespace ganglion {
namespace {

// Gives each thread consecutive units of about equal cost: the same ones in every step, so that its tiles stay in its caches.
void assign(Phase &phase, int team, const std::vector<double> &cost) {
    double total = 0;
    for (const double c : cost) total += c;
    phase.first.assign(1, 0);
    double taken = 0;
    Index unit = 0;
    const Index count = static_cast<Index>(phase.units.size());
    for (int t = 1; t <= team; ++t) {
        const double goal = total * t / team;
        while (unit < count && (t == team || taken + cost[static_cast<std::size_t>(unit)] / 2 <= goal))
            taken += cost[static_cast<std::size_t>(unit++)];
        phase.first.push_back(unit);
    }
}

// Cuts n into pieces of at most `most`, as equal as multiples of `unit` allow; calls piece(first, size).
template <class Piece> void cut(Index n, Index most, Index unit, Piece piece) {
    const Index count = std::max<Index>(1, (n + most - 1) / most);
    const Index size = round_up((n + count - 1) / count, unit);
    for (Index first = 0; first < n; first += size) piece(first, std::min(size, n - first));
}

constexpr Index panel_rows = 112; // of the batch: activations of a panel stay in L2
constexpr Index forward_columns = 64;

Phase row_phase(PhaseKind kind, Index rows, int team, Index stage = 0, Index columns = 0) {
    Phase phase{kind, {}, {}};
    std::vector<double> cost;
    const Index most = std::min(panel_rows, std::max<Index>(1, (rows + team - 1) / team));
    const Index panels = round_up((rows + most - 1) / most, team);
    cut(rows, (rows + panels - 1) / panels, 1, [&](Index row, Index count) {
        phase.units.push_back({stage, row, count, 0, columns});
        cost.push_back(static_cast<double>(count));
    });
    assign(phase, team, cost);
    return phase;
}

// Tiles of a stage's output or input gradient; whole rows where the activation wants them.
Phase layer_phase(PhaseKind kind, const Stage &stage, Index number, Index rows, int team, bool whole_rows, Index columns) {
    if (whole_rows) return row_phase(kind, rows, team, number, columns);
    Phase phase{kind, {}, {}};
    std::vector<double> cost;
    cut(rows, panel_rows, 1, [&](Index row, Index count) {
        cut(columns, std::min(forward_columns, round_up((columns + team - 1) / team, 16)), 16, [&](Index column, Index width) {
            phase.units.push_back({number, row, count, column, width});
            cost.push_back(static_cast<double>(count * width) * static_cast<double>(stage.kernel < 0 ? 1 : stage.inputs));
        });
    });
    assign(phase, team, cost);
    return phase;
}

Phase kernel_phase(PhaseKind kind, const Architecture &net, int team) {
    Phase phase{kind, {}, {}};
    std::vector<double> cost;
    for (std::size_t s = 0; s < net.stages.size(); ++s) {
        const Stage &stage = net.stages[s];
        if (stage.kernel < 0) continue;
        cut(stage.outputs, kernel_tile_columns, 16, [&](Index column, Index columns) {
            cut(stage.inputs, kernel_tile_rows, 16, [&](Index row, Index rows) {
                phase.units.push_back({static_cast<Index>(s), row, rows, column, columns});
                cost.push_back(static_cast<double>(rows) * static_cast<double>(round_up(columns, 16)));
            });
        });
    }
    assign(phase, team, cost);
    return phase;
}

} // namespace

const char *name_of(PhaseKind kind) {
    switch (kind) {
    case PhaseKind::rows: return "rows";
    case PhaseKind::gather: return "gather";
    case PhaseKind::forward: return "forward";
    case PhaseKind::loss: return "loss";
    case PhaseKind::backward: return "backward";
    case PhaseKind::update: return "update";
    case PhaseKind::gradients: return "gradients";
    case PhaseKind::apply: return "apply";
    }
    return "";
}

std::vector<std::string> Plan::phase_names() const {
    std::vector<std::string> names;
    for (const Phase &phase : phases) names.emplace_back(name_of(phase.kind));
    return names;
}

Strategy choose_strategy(Index rows, int team) { return team > 1 && rows < 8 * team ? Strategy::layers : Strategy::rows; }

Plan build_plan(const Architecture &net, Index rows, int team, Strategy strategy) {
    Plan plan{rows, team, strategy, {}};
    if (strategy == Strategy::layers) {
        plan.phases.push_back(row_phase(PhaseKind::gather, rows, team));
        const Index stages = static_cast<Index>(net.stages.size());
        for (Index s = 0; s < stages; ++s) {
            const Stage &stage = net.stages[static_cast<std::size_t>(s)];
            plan.phases.push_back(layer_phase(PhaseKind::forward, stage, s, rows, team, stage.whole_rows, stage.outputs));
        }
        plan.phases.push_back(row_phase(PhaseKind::loss, rows, team));
        for (Index s = stages - 1; s > 0; --s) {
            const Stage &stage = net.stages[static_cast<std::size_t>(s)], &below = net.stages[static_cast<std::size_t>(s - 1)];
            plan.phases.push_back(layer_phase(PhaseKind::backward, stage, s, rows, team, below.whole_rows, stage.inputs));
        }
    } else {
        plan.phases.push_back(row_phase(PhaseKind::rows, rows, team));
    }
    if (strategy == Strategy::stored || strategy == Strategy::gradients) {
        plan.phases.push_back(kernel_phase(PhaseKind::gradients, net, team));
        if (strategy == Strategy::stored) plan.phases.push_back(kernel_phase(PhaseKind::apply, net, team));
    } else {
        plan.phases.push_back(kernel_phase(PhaseKind::update, net, team));
    }
    return plan;
}

double step_flops(const Architecture &net, Index rows) {
    double flops = 0;
    for (std::size_t s = 0; s < net.stages.size(); ++s) {
        const Stage &stage = net.stages[s];
        if (stage.kernel >= 0)
            flops +=
                (s == 0 ? 4.0 : 6.0) * static_cast<double>(rows) * static_cast<double>(stage.inputs) * static_cast<double>(stage.outputs);
    }
    return flops;
}

int useful_team(const Architecture &net, Index rows, int available) {
    constexpr double flops_per_thread = 1e6;
    const double useful = step_flops(net, rows) / flops_per_thread;
    return std::max(1, useful < available ? static_cast<int>(useful) : available);
}

} // namespace ganglion
