// Single steps by a processor of their own that stores gradients. The bits are those of any other step.
#pragma once
#include "ganglion/device.hpp"

namespace ganglion {

template <class T> class SideStep {
  public:
    // Between steps of `processor`, whose order of rows it uses.
    SideStep(const Kernels<T> &kernels, Training<T> &training, Processor<T> &processor)
        : kernels_(kernels), training_(training), main_(processor) {}

    // A step whose gradients might overflow: it is made, tested whole and only then kept. Throws Diverged where it is not finite.
    Result<T> careful(Request<T> request, int team);

  private:
    const Kernels<T> &kernels_;
    Training<T> &training_;
    Processor<T> &main_;
    Processor<T> processor_;
    Buffer<T> before_; // the parameters as they were
};

} // namespace ganglion
