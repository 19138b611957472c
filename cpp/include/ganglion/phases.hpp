// What a unit of each phase does. A batch passes here on its way from the data set to the weights.
#pragma once
#include "ganglion/clipping.hpp"
#include "ganglion/normalization.hpp"
#include "ganglion/penalties.hpp"
#include "ganglion/rows.hpp"
#include "ganglion/tiles.hpp"

namespace ganglion {

template <class T> void run_unit(PhaseKind kind, const Step<T> &step, const Unit &unit, Scratch<T> &scratch);

} // namespace ganglion
