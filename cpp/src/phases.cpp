#include "ganglion/phases.hpp"

namespace ganglion {

template <class T> void run_unit(PhaseKind kind, const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    switch (kind) {
    case PhaseKind::penalty: return penalty_rows(*step.kernels, *step.net, *step.parameters, unit, step.workspace->penalties.data());
    case PhaseKind::rows: return all_rows(step, unit, scratch);
    case PhaseKind::statistics: return statistics_tile(step, unit, scratch);
    case PhaseKind::sums: return sums_tile(step, unit, scratch);
    case PhaseKind::back: return back_rows(step, unit, scratch);
    case PhaseKind::gather: return gather_rows(step, unit.row, unit.rows, scratch);
    case PhaseKind::forward: return forward_tile(step, unit, scratch);
    case PhaseKind::loss: return loss_rows(step, unit.row, unit.rows, scratch);
    case PhaseKind::output: return output_rows(step, unit, scratch);
    case PhaseKind::backward: return backward_tile(step, unit, scratch);
    case PhaseKind::update: return update_tile(step, unit, scratch);
    case PhaseKind::gradients: return store_tile(step, unit, scratch);
    case PhaseKind::norm: return square_rows(step, unit);
    case PhaseKind::apply: return apply_stored_tile(step, unit, scratch);
    }
}

template void run_unit(PhaseKind, const Step<float> &, const Unit &, Scratch<float> &);
template void run_unit(PhaseKind, const Step<double> &, const Unit &, Scratch<double> &);

} // namespace ganglion
