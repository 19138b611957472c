#include "ganglion/dropout.hpp"
#include "ganglion/random.hpp"
#include <cmath>

namespace ganglion {
namespace {

DropoutMask mask_of(const Moment &moment, const Stage &stage, Index row, Index column) {
    const Stream stream{moment.seed, StreamKind::dropout, stage.stream, moment.epoch, moment.step};
    const Index row_blocks = round_up(stage.outputs, padding) / 4;
    return {{static_cast<std::uint32_t>(stream.seed), static_cast<std::uint32_t>(stream.seed >> 32)},
            stream.step,
            stream.epoch,
            stream.purpose(),
            static_cast<std::uint32_t>(row * row_blocks + column / 4),
            static_cast<std::uint32_t>(row_blocks),
            static_cast<std::int32_t>(std::ceil(stage.rate * 0x1p24))};
}

template <class T> T masked(const Step<T> &step, const Unit &unit, const MatrixView<const T> &x, const MatrixView<T> &out) {
    const Stage &stage = step.net->stages[at(unit.stage)];
    return step.kernels->dropout(x, mask_of(step.moment, stage, unit.row, unit.column), static_cast<T>(1 / (1 - stage.rate)), out);
}

} // namespace

template <class T> void drop(const Step<T> &step, const Unit &unit, const MatrixView<const T> &x, const MatrixView<T> &h,
                             Scratch<T> &scratch) {
    if (step.training) keep_largest(scratch.notes.output(at(unit.stage)), masked(step, unit, x, h));
    else copy_columns(x, 0, h); // as finite as x
}

template <class T> void drop_backward(const Step<T> &step, const Unit &unit, const MatrixView<const T> &dz, const MatrixView<T> &dx) {
    if (step.training) masked(step, unit, dz, dx);
    else copy_columns(dz, 0, dx);
}

template void drop(const Step<float> &, const Unit &, const MatrixView<const float> &, const MatrixView<float> &, Scratch<float> &);
template void drop_backward(const Step<float> &, const Unit &, const MatrixView<const float> &, const MatrixView<float> &);
template void drop(const Step<double> &, const Unit &, const MatrixView<const double> &, const MatrixView<double> &, Scratch<double> &);
template void drop_backward(const Step<double> &, const Unit &, const MatrixView<const double> &, const MatrixView<double> &);

} // namespace ganglion
