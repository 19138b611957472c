#include "ganglion/plan.hpp"
#include "ganglion/arena.hpp"
#include "ganglion/unit_queues.hpp"

namespace ganglion {
namespace {

// Gives each thread consecutive units that cost about its part: the same ones in every step, so that its tiles stay in its caches.
void assign(Phase &phase, const Balance &balance, const std::vector<double> &cost) {
    const int team = balance.team();
    double total = 0;
    for (const double c : cost) total += c;
    phase.first.assign(1, 0);
    double taken = 0;
    Index unit = 0;
    const Index count = static_cast<Index>(phase.units.size());
    for (int t = 1; t <= team; ++t) {
        const double goal = total * balance.before(phase.work, t);
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
constexpr Index layer_columns = 128;
constexpr Index cached_elements = 128 * 1024; // of a layer's input, beside the weights in L2

Phase row_phase(PhaseKind kind, Index rows, const Balance &balance, Index stage = 0, Index columns = 0) {
    Phase phase{kind, Work::rows, {}, {0}};
    for (int t = 0; t < balance.team(); ++t) {
        const Index first = balance.first(Work::rows, rows, t), end = balance.first(Work::rows, rows, t + 1);
        cut(end - first, panel_rows, 1, [&](Index row, Index count) { phase.units.push_back({stage, first + row, count, 0, columns}); });
        phase.first.push_back(static_cast<Index>(phase.units.size()));
    }
    return phase;
}

// Columns of a layer that belong to one thread in every phase: it alone reads and writes their weights, which never leave its
// caches. With the weights of 784-512-512-10 read by both of two cores that share no cache a step took 1.8 times as long.
struct Share {
    Index first, size;
};
constexpr Index share_columns = 2 * padding; // register tiles of two vectors of 16
static_assert(share_columns % moment_columns == 0 && kernel_tile_side % moment_columns == 0,
              "a tile of a kernel has whole strips of moments");
bool can_share(Index columns, int team) { return (columns + share_columns - 1) / share_columns >= team; }
Share share(Index columns, const Balance &balance, int thread) {
    const Index unit = can_share(columns, balance.team()) ? share_columns : padding, blocks = (columns + unit - 1) / unit;
    const auto first = [&](int t) { return std::min(columns, balance.first(Work::weights, blocks, t) * unit); };
    return {first(thread), first(thread + 1) - first(thread)};
}

// Tiles of a stage's output or input gradient, cut by columns where there are enough; whole rows where the activation wants them.
Phase layer_phase(PhaseKind kind, const Stage &stage, Index number, Index rows, const Balance &balance, bool whole_rows, Index columns) {
    const int team = balance.team();
    if (whole_rows || (!can_share(columns, team) && rows >= 4 * team)) return row_phase(kind, rows, balance, number, columns);
    Phase phase{kind, Work::weights, {}, {0}};
    const Index depth = stage.kernel < 0 ? 1 : kind == PhaseKind::forward ? stage.inputs : stage.outputs;
    const auto row_panels = [&](auto panel) { cut(rows, panel_rows, 1, panel); };
    for (int t = 0; t < team; ++t) {
        const Share own = share(columns, balance, t);
        const auto column_tiles = [&](auto tile) {
            if (own.size > 0) cut(own.size, layer_columns, padding, [&](Index column, Index width) { tile(own.first + column, width); });
        };
        const auto add = [&](Index row, Index count, Index column, Index width) {
            phase.units.push_back({number, row, count, column, width});
        };
        // What is walked in the inner loop is read again and again: the rows if a cache holds them, else the columns.
        if (rows * depth <= cached_elements)
            column_tiles([&](Index column, Index width) { row_panels([&](Index row, Index count) { add(row, count, column, width); }); });
        else row_panels([&](Index row, Index count) { column_tiles([&](Index column, Index width) { add(row, count, column, width); }); });
        phase.first.push_back(static_cast<Index>(phase.units.size()));
    }
    return phase;
}

int whole_threads(double useful) { return static_cast<int>(std::clamp(useful, 1.0, 1e6)); }

// Of the kernel, or of a normalization's γ; 0: the stage has nothing to update.
Index weight_rows(const Stage &stage) { return normalizes(stage) ? 1 : stage.kernel >= 0 ? stage.inputs : 0; }

void add_tiles(Phase &phase, Index stage, Share inputs, Share outputs) {
    if (inputs.size <= 0 || outputs.size <= 0) return;
    cut(outputs.size, kernel_tile_side, moment_columns, [&](Index column, Index columns) {
        cut(inputs.size, kernel_tile_side, padding,
            [&](Index row, Index rows) { phase.units.push_back({stage, inputs.first + row, rows, outputs.first + column, columns}); });
    });
}

// Tiles of all kernels. The strips of columns lie one after the other, and each thread gets a run of their rows, as long as its part to
// within a block of 16, or of 4 where 16 of few rows would be much and no line of Wᵀ is shared: by whole tiles, one of two threads had
// two thirds of the updates of 17-64-64-6.
Phase kernel_phase(PhaseKind kind, const Architecture &net, const Balance &balance, bool own_transposed) {
    const int team = balance.team();
    const auto strips = [&](auto strip) { // strip(stage, rows, columns, cost of a row)
        for (std::size_t s = 0; s < net.stages.size(); ++s)
            if (const Index rows = weight_rows(net.stages[s]); rows > 0)
                cut(net.stages[s].outputs, kernel_tile_side, moment_columns, [&](Index column, Index columns) {
                    strip(static_cast<Index>(s), rows, Share{column, columns}, static_cast<double>(round_up(columns, padding)));
                });
    };
    double total = 0, taken = 0;
    strips([&](Index, Index rows, Share, double cost) { total += static_cast<double>(rows) * cost; });
    Phase phase{kind, Work::weights, {}, {0}};
    int thread = 0;
    strips([&](Index stage, Index rows, Share columns, double cost) {
        for (Index row = 0; row < rows;) {
            const Index left = rows - row, block = own_transposed && rows < 16 * padding ? 4 : padding;
            const double blocks = (total * balance.before(Work::weights, thread + 1) - taken) / (cost * static_cast<double>(block));
            const Index own = thread + 1 == team ? left : std::clamp<Index>(static_cast<Index>(blocks + 0.5) * block, 0, left);
            add_tiles(phase, stage, {row, own}, columns);
            row += own;
            taken += static_cast<double>(own) * cost;
            if (row == rows) return;
            phase.first.push_back(static_cast<Index>(phase.units.size()));
            ++thread;
        }
    });
    phase.first.resize(static_cast<std::size_t>(team) + 1, static_cast<Index>(phase.units.size()));
    return phase;
}

// Tiles of all kernels, to each thread those of its own columns; of a narrow kernel, of its own rows.
Phase shared_kernel_phase(PhaseKind kind, const Architecture &net, const Balance &balance) {
    const int team = balance.team();
    Phase phase{kind, Work::weights, {}, {0}};
    for (int t = 0; t < team; ++t) {
        for (std::size_t s = 0; s < net.stages.size(); ++s) {
            const Stage &stage = net.stages[s];
            if (weight_rows(stage) == 0) continue;
            if (can_share(stage.outputs, team))
                add_tiles(phase, static_cast<Index>(s), {0, weight_rows(stage)}, share(stage.outputs, balance, t));
            else add_tiles(phase, static_cast<Index>(s), share(weight_rows(stage), balance, t), {0, stage.outputs});
        }
        phase.first.push_back(static_cast<Index>(phase.units.size()));
    }
    return phase;
}

// Rows of all parameters; a unit's stage is the parameter's number.
Phase parameter_phase(PhaseKind kind, const Architecture &net, const Balance &balance) {
    Phase phase{kind, Work::weights, {}, {}};
    std::vector<double> cost;
    for (std::size_t p = 0; p < net.parameters.size(); ++p) {
        const Parameter &parameter = net.parameters[p];
        if (kind == PhaseKind::penalty && !penalized(parameter)) continue;
        cut(parameter.rows, kernel_tile_side, 1, [&](Index row, Index rows) {
            phase.units.push_back({static_cast<Index>(p), row, rows, 0, parameter.columns});
            cost.push_back(static_cast<double>(rows * parameter.stride));
        });
    }
    assign(phase, balance, cost);
    return phase;
}

// Columns of a normalization over the batch.
Phase column_phase(PhaseKind kind, const Stage &stage, Index number, const Balance &balance) {
    const int team = balance.team();
    Phase phase{kind, Work::weights, {}, {}};
    std::vector<double> cost;
    cut(stage.outputs, std::min(kernel_tile_side, round_up((stage.outputs + team - 1) / team, 16)), 16, [&](Index column, Index columns) {
        phase.units.push_back({number, 0, 0, column, columns});
        cost.push_back(static_cast<double>(columns));
    });
    assign(phase, balance, cost);
    return phase;
}

// One phase, cut where a normalization over the batch needs all rows: before its statistics, and before the sums of its gradients.
void add_row_phases(Plan &plan, const Architecture &net) {
    const auto waits = [&](Index s) { return over_batch(net.stages[static_cast<std::size_t>(s)]); };
    const auto add = [&](PhaseKind kind, Index s) {
        const bool columns = kind == PhaseKind::statistics || kind == PhaseKind::sums;
        plan.phases.push_back(columns ? column_phase(kind, net.stages[static_cast<std::size_t>(s)], s, plan.balance)
                                      : row_phase(kind, plan.rows, plan.balance, s));
    };
    const Index stages = static_cast<Index>(net.stages.size());
    add(waits(0) ? PhaseKind::gather : PhaseKind::rows, 0);
    for (Index s = 0; s < stages; ++s) {
        if (!waits(s)) continue;
        add(PhaseKind::statistics, s);
        add(PhaseKind::rows, s);
    }
    for (Index s = stages - 1; s >= 0; --s) {
        if (!waits(s)) continue;
        add(PhaseKind::sums, s);
        if (s > 0) add(PhaseKind::back, s);
    }
}

// Operations of a unit where it is made of products, else as many as take about as long; with the padding, as kernels are cut.
double cost_of(PhaseKind kind, const Unit &unit, const Architecture &net, Index rows) {
    constexpr double of_element = 16;
    const double height = static_cast<double>(unit.rows),
                 width = static_cast<double>(unit.columns > 0 ? round_up(unit.columns, padding) : 1);
    const auto depth = [&](Index Stage::*inner) {
        const Stage &stage = net.stages[static_cast<std::size_t>(unit.stage)];
        return static_cast<double>(stage.kernel < 0 ? 1 : stage.*inner);
    };
    switch (kind) {
    case PhaseKind::rows: return height * step_flops(net, 1) * 2 / 3; // the rest are weight gradients
    case PhaseKind::update:
    case PhaseKind::gradients: return 2 * height * width * static_cast<double>(rows);
    case PhaseKind::forward: return 2 * height * width * depth(&Stage::inputs);
    case PhaseKind::backward: return 2 * height * width * depth(&Stage::outputs);
    default: return of_element * height * width;
    }
}

// Where one of two threads lagged behind, the other waited: 4 % of a step of 1024-1024-1024-1024-1000, 2 of 784-512-512-10. Taking over
// costs what the unit's lines need to come from another core, so units must be long; shorter last units for it gained nothing.
bool worth_taking_over(const Phase &phase, const Architecture &net, Index rows) {
    constexpr double least = 1e6; // operations of a unit: about 10 µs
    double all = 0;
    for (const Unit &unit : phase.units) all += cost_of(phase.kind, unit, net, rows);
    const std::size_t team = phase.first.size() - 1;
    const bool fits = phase.units.size() > team && phase.units.size() <= static_cast<std::size_t>(UnitQueues::most_units);
    return team > 1 && fits && all >= least * static_cast<double>(phase.units.size());
}

// What part of all work each thread has, as whole units make it.
ByThread allot(const Plan &plan, const Architecture &net) {
    ByThread parts;
    for (std::vector<double> &part : parts) part.assign(static_cast<std::size_t>(plan.team), 0.0);
    for (const Phase &phase : plan.phases) {
        std::vector<double> &part = parts[static_cast<std::size_t>(phase.work)];
        for (std::size_t t = 0; t < part.size(); ++t)
            for (Index u = phase.first[t]; u < phase.first[t + 1]; ++u)
                part[t] += cost_of(phase.kind, phase.units[static_cast<std::size_t>(u)], net, plan.rows);
    }
    for (std::vector<double> &part : parts) {
        double all = 0;
        for (const double p : part) all += p;
        for (double &p : part) p /= std::max(all, 1.0);
    }
    return parts;
}

} // namespace

const char *name_of(PhaseKind kind) {
    switch (kind) {
    case PhaseKind::penalty: return "penalty";
    case PhaseKind::rows: return "rows";
    case PhaseKind::statistics: return "statistics";
    case PhaseKind::sums: return "sums";
    case PhaseKind::back: return "back";
    case PhaseKind::gather: return "gather";
    case PhaseKind::forward: return "forward";
    case PhaseKind::loss: return "loss";
    case PhaseKind::output: return "output";
    case PhaseKind::backward: return "backward";
    case PhaseKind::update: return "update";
    case PhaseKind::gradients: return "gradients";
    case PhaseKind::norm: return "norm";
    case PhaseKind::apply: return "apply";
    }
    return "";
}

std::vector<std::string> Plan::phase_names() const {
    std::vector<std::string> names;
    for (const Phase &phase : phases) names.emplace_back(name_of(phase.kind));
    return names;
}

Unit Plan::input_rows(int thread) const {
    const auto gathers = [](const Phase &phase) { return phase.kind == PhaseKind::gather || phase.kind == PhaseKind::rows; };
    const Phase &phase = *std::find_if(phases.begin(), phases.end(), gathers);
    const auto t = static_cast<std::size_t>(thread);
    const auto first = static_cast<std::size_t>(phase.first[t]), end = static_cast<std::size_t>(phase.first[t + 1]);
    if (first == end) return {};
    const Index row = phase.units[first].row;
    return {0, row, phase.units[end - 1].row + phase.units[end - 1].rows - row, 0, 0};
}

std::vector<Strategy> strategies(Index rows, int team) {
    if (team == 1) return {Strategy::rows};
    if (rows < 8 * team) return {Strategy::layers};
    return {Strategy::rows, Strategy::layers};
}

Plan build_plan(const Architecture &net, Index rows, const Balance &balance, Strategy strategy, const Demands &demands) {
    const int team = balance.team();
    Plan plan{rows, team, strategy, demands, balance, team > 1 && strategy != Strategy::layers && demands.small_weights, {}, {}};
    if (demands.penalty) plan.phases.push_back(parameter_phase(PhaseKind::penalty, net, balance));
    if (strategy == Strategy::layers) {
        const auto stage_at = [&](Index s) -> const Stage & { return net.stages[static_cast<std::size_t>(s)]; };
        Index stages = static_cast<Index>(net.stages.size());
        const bool narrow = !over_batch(stage_at(stages - 1)) && !can_share(net.outputs, team) && rows >= 4 * team;
        plan.phases.push_back(row_phase(PhaseKind::gather, rows, balance));
        for (Index s = 0; s < stages - narrow; ++s) {
            const Stage &stage = stage_at(s);
            if (over_batch(stage)) plan.phases.push_back(column_phase(PhaseKind::statistics, stage, s, balance));
            const bool whole_rows = stage.whole_rows || by_rows(stage);
            plan.phases.push_back(layer_phase(PhaseKind::forward, stage, s, rows, balance, whole_rows, stage.outputs));
        }
        plan.phases.push_back(row_phase(narrow ? PhaseKind::output : PhaseKind::loss, rows, balance));
        for (Index s = stages - 1 - narrow; s >= 0; --s) {
            const Stage &stage = stage_at(s);
            if (over_batch(stage)) plan.phases.push_back(column_phase(PhaseKind::sums, stage, s, balance));
            if (s == 0) break;
            const bool whole_rows = stage_at(s - 1).whole_rows || by_rows(stage);
            plan.phases.push_back(layer_phase(PhaseKind::backward, stage, s, rows, balance, whole_rows, stage.inputs));
        }
    } else {
        add_row_phases(plan, net);
    }
    const auto tiles = [&](PhaseKind kind) {
        return strategy == Strategy::layers ? shared_kernel_phase(kind, net, balance)
                                            : kernel_phase(kind, net, balance, plan.own_transposed);
    };
    if (strategy == Strategy::stored || strategy == Strategy::gradients || demands.stores_gradients()) {
        plan.phases.push_back(tiles(PhaseKind::gradients));
        if (strategy == Strategy::gradients) return plan;
        if (demands.norm) plan.phases.push_back(parameter_phase(PhaseKind::norm, net, balance));
        plan.phases.push_back(tiles(PhaseKind::apply));
    } else {
        plan.phases.push_back(tiles(PhaseKind::update));
    }
    plan.allotted = allot(plan, net);
    for (Phase &phase : plan.phases) phase.open = !balance.given() && worth_taking_over(phase, net, rows);
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

Plan build_forward_plan(const Architecture &net, Index rows, int team) {
    const Balance balance(team);
    Plan plan{rows, team, Strategy::layers, {}, balance, false, {row_phase(PhaseKind::gather, rows, balance)}, {}};
    for (std::size_t s = 0; s < net.stages.size(); ++s) {
        const Stage &stage = net.stages[s];
        const bool whole_rows = stage.whole_rows || by_rows(stage);
        plan.phases.push_back(layer_phase(PhaseKind::forward, stage, static_cast<Index>(s), rows, balance, whole_rows, stage.outputs));
    }
    return plan;
}

int useful_forward_team(const Architecture &net, Index rows, std::size_t element) {
    // Of a Zen 4 core at about two thirds of its peak, and of its L3 cache, through which larger weights pass.
    constexpr double flops_per_second = 8e10, bytes_per_second = 7e10;
    constexpr double least = 15e-6; // of a thread: waking it costs some microseconds, more where it sleeps
    double weights = 0;
    for (const Stage &stage : net.stages)
        if (stage.kernel >= 0) weights += static_cast<double>(stage.inputs) * static_cast<double>(stage.outputs);
    const double seconds = std::max(2 * weights * static_cast<double>(rows) / flops_per_second * static_cast<double>(element) / 4,
                                    weights * static_cast<double>(element) / bytes_per_second);
    return whole_threads(seconds / least);
}

int useful_team(const Architecture &net, Index rows) {
    constexpr double flops_per_thread = 1e6;
    return whole_threads(step_flops(net, rows) / flops_per_thread);
}

bool may_share(const Architecture &net, Index rows) {
    constexpr double fewest_flops = 2e4, of_an_output = 10; // as long as an activation, or a part of a normalization, forth and back
    double flops = step_flops(net, rows);
    for (const Stage &stage : net.stages) flops += of_an_output * static_cast<double>(rows) * static_cast<double>(stage.outputs);
    return flops > fewest_flops;
}

} // namespace ganglion
