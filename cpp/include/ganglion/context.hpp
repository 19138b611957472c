// Where a run takes place: on which kernels, with how many threads. A value; nothing here is global.
#pragma once
#include "ganglion/dispatch.hpp"

namespace ganglion {

struct Context {
    const KernelSet *kernel_set;
    int threads; // 0: as many as the work is worth, at most default_team()
};

} // namespace ganglion
