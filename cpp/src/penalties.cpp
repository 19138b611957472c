#include "ganglion/penalties.hpp"
#include "ganglion/leaves.hpp"
#include "ganglion/matmul.hpp"

namespace ganglion {

template <class T> void penalize_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    const Parameter &parameter = step.net->parameters[at(step.net->stages[at(unit.stage)].kernel)];
    if (!penalized(parameter)) return;
    const Index whole = whole_vectors(*step.kernels, unit.columns);
    const T *w = step.parameters->values.data() + parameter.offset + unit.row * parameter.stride + unit.column;
    step.kernels->penalize({scratch.kernel_tiles.data(), unit.rows, whole, round_up(unit.columns, padding)},
                           {w, unit.rows, whole, parameter.stride}, static_cast<T>(parameter.l1), static_cast<T>(2 * parameter.l2));
}

double largest_penalty_gradient(const Architecture &net, double largest_weight) {
    double largest = 0;
    for (const Parameter &parameter : net.parameters) largest = std::max(largest, parameter.l1 + 2 * parameter.l2 * largest_weight);
    return largest;
}

template <class T>
void penalty_rows(const Kernels<T> &kernels, const Architecture &net, const Parameters<T> &parameters, const Unit &unit, double *totals) {
    const Parameter &parameter = net.parameters[at(unit.stage)];
    double *out = totals + parameter_rows(net, unit.stage) + unit.row;
    double magnitudes[kernel_tile_side] = {};
    const MatrixView<const T> w{parameters.values.data() + parameter.offset + unit.row * parameter.stride, unit.rows, parameter.columns,
                                parameter.stride};
    kernels.row_squares(w, out);
    if (parameter.l1 > 0) kernels.row_magnitudes(w, magnitudes);
    for (Index r = 0; r < unit.rows; ++r) out[r] = parameter.l1 * magnitudes[r] + parameter.l2 * out[r];
}

double penalty_of(const Buffer<double> &totals) { return sum_rows(totals.data(), totals.size()); }

template <class T> double penalty_of(const Kernels<T> &kernels, const Architecture &net, const Parameters<T> &parameters) {
    if (!penalized(net)) return 0;
    const Index count = static_cast<Index>(net.parameters.size());
    Buffer<double> totals(parameter_rows(net, count));
    for (Index p = 0; p < count; ++p)
        if (penalized(net.parameters[at(p)]))
            for (Index row = 0; row < net.parameters[at(p)].rows; row += kernel_tile_side)
                penalty_rows(kernels, net, parameters,
                             {p, row, std::min(kernel_tile_side, net.parameters[at(p)].rows - row), 0, net.parameters[at(p)].columns},
                             totals.data());
    return penalty_of(totals);
}

template void penalize_tile(const Step<float> &, const Unit &, Scratch<float> &);
template void penalty_rows(const Kernels<float> &, const Architecture &, const Parameters<float> &, const Unit &, double *);
template double penalty_of(const Kernels<float> &, const Architecture &, const Parameters<float> &);
template void penalize_tile(const Step<double> &, const Unit &, Scratch<double> &);
template void penalty_rows(const Kernels<double> &, const Architecture &, const Parameters<double> &, const Unit &, double *);
template double penalty_of(const Kernels<double> &, const Architecture &, const Parameters<double> &);

} // namespace ganglion
