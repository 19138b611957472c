// The kernel set "sse2".
#include "ganglion/kernel_set.hpp"
#include <immintrin.h>

namespace ganglion {
namespace {

constexpr int vector_registers = 8; // of 16: the emulated fma needs the others
#include "soft_fma.inl"
#include "vec_sse2.inl"
#include "pair.inl"
#include "functions.inl"
#include "activations.inl"
#include "shared_columns.inl"
#include "rows.inl"
#include "row_product.inl"
#include "transpose.inl"
#include "look.inl"
#include "updates.inl"
#include "descent.inl"
#include "narrow_product.inl"
#include "matmul.inl"
#include "turned_product.inl"
#include "sparse_matmul.inl"
#include "elementwise_losses.inl"
#include "losses.inl"
#include "clipping.inl"
#include "penalties.inl"
#include "dropout.inl"
#include "normalization.inl"
#include "feed.inl"
#include "peak.inl"
#include "table.inl"

} // namespace

extern const KernelSet sse2_kernels;
const KernelSet sse2_kernels = {"sse2", "SSE2, the x86-64 baseline; fma emulated", feature_none, kernels<float>(), kernels<double>()};

} // namespace ganglion
