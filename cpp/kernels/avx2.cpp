// The kernel set "avx2".
#include "ganglion/kernel_set.hpp"
#include <immintrin.h>

namespace ganglion {
namespace {

constexpr int vector_registers = 16;
#include "vec_avx2.inl"
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

extern const KernelSet avx2_kernels;
const KernelSet avx2_kernels = {"avx2", "AVX2 and FMA, 256-bit vectors", feature_avx2 | feature_fma, kernels<float>(), kernels<double>()};

} // namespace ganglion
