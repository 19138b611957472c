#pragma once
#include <pybind11/pybind11.h>

namespace ganglion {

// Adds the submodule `operations` to the module.
void bind_operations(pybind11::module_ &parent);
// Adds some of its functions.
void bind_gradient_operations(pybind11::module_ &operations);

} // namespace ganglion
