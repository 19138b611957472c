// The kernel set "avx512".
#include "ganglion/kernel_set.hpp"
#include <immintrin.h>

namespace ganglion {
namespace {

constexpr int vector_registers = 32;
#include "vec_avx512.inl"
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

extern const KernelSet avx512_kernels;
const KernelSet avx512_kernels = {"avx512", "AVX-512 F, BW, DQ and VL, 512-bit vectors", feature_avx2 | feature_fma | feature_avx512,
                                  kernels<float>(), kernels<double>()};

} // namespace ganglion
