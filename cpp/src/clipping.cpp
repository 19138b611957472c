#include "ganglion/clipping.hpp"
#include "ganglion/leaves.hpp"
#include "ganglion/matmul.hpp"
#include <cmath>

namespace ganglion {

template <class T>
void clip_into_tile(const Step<T> &step, const Unit &unit, const T *g, Index g_stride, const T *db, Scratch<T> &scratch) {
    const Index whole = whole_vectors(*step.kernels, unit.columns); // as the optimizer reads them: zeros of the padding too
    const auto clip = [&](const T *from, Index stride, T *to, Index rows, Index to_stride) {
        step.kernels->clip({from, rows, whole, stride}, {to, rows, whole, to_stride}, step.gradient_scale, step.gradient_bound);
    };
    clip(g, g_stride, scratch.kernel_tiles.data(), unit.rows, round_up(unit.columns, padding));
    if (step.net->stages[at(unit.stage)].bias >= 0 && unit.row == 0) clip(db, 0, scratch.bias_tiles.data(), 1, 0);
}

template <class T> void clip_tile(const Step<T> &step, const Unit &unit, Scratch<T> &scratch) {
    clip_into_tile<T>(step, unit, scratch.kernel_tiles.data(), round_up(unit.columns, padding), scratch.bias_tiles.data(), scratch);
}

template <class T> void square_rows(const Step<T> &step, const Unit &unit) {
    const Parameter &parameter = step.net->parameters[at(unit.stage)];
    const T *g = step.gradients + parameter.offset + unit.row * parameter.stride;
    step.kernels->row_squares({g, unit.rows, parameter.columns, parameter.stride},
                              step.workspace->squares.data() + parameter_rows(*step.net, unit.stage) + unit.row);
}

template <class T> double gradient_norm(const Step<T> &step) {
    return std::sqrt(sum_rows(step.workspace->squares.data(), step.workspace->squares.size()));
}

template void clip_tile(const Step<float> &, const Unit &, Scratch<float> &);
template void clip_into_tile(const Step<float> &, const Unit &, const float *, Index, const float *, Scratch<float> &);
template void square_rows(const Step<float> &, const Unit &);
template double gradient_norm(const Step<float> &);
template void clip_tile(const Step<double> &, const Unit &, Scratch<double> &);
template void clip_into_tile(const Step<double> &, const Unit &, const double *, Index, const double *, Scratch<double> &);
template void square_rows(const Step<double> &, const Unit &);
template double gradient_norm(const Step<double> &);

} // namespace ganglion
