#include "ganglion/orthogonal.hpp"
#include "ganglion/kernel_set.hpp"

#include <algorithm>
#include <cmath>

namespace ganglion {
namespace {

// A row sum as the kernels make it, without fused operations.
double dot(const double *a, const double *b, Index n) {
    double lanes[sum_lanes] = {};
    Index i = 0;
    for (; i + sum_lanes <= n; i += sum_lanes)
        for (Index l = 0; l < sum_lanes; ++l) lanes[l] += a[i + l] * b[i + l];
    for (Index l = 0; i + l < n; ++l) lanes[l] += a[i + l] * b[i + l];
    for (Index half = sum_lanes / 2; half > 0; half /= 2)
        for (Index l = 0; l < half; ++l) lanes[l] += lanes[l + half];
    return lanes[0];
}

// Takes from v what lies along the `count` vectors at q; returns the length that is left. Once more where that was most of v:
// "twice is enough" (Giraud, Langou, Rozložník, "The loss of orthogonality in the Gram–Schmidt orthogonalization process", 2005).
double take_off(const double *q, Index count, double *v, Index size) {
    double before = dot(v, v, size), after = before;
    for (int pass = 0; pass < 2; ++pass) {
        for (Index k = 0; k < count; ++k) {
            const double *u = q + k * size;
            const double along = dot(u, v, size);
            for (Index i = 0; i < size; ++i) v[i] -= along * u[i];
        }
        after = dot(v, v, size);
        if (after > 0.5 * before) break;
        before = after;
    }
    return std::sqrt(after);
}

} // namespace

void orthonormalize(std::vector<double> &vectors, Index size) {
    const Index count = static_cast<Index>(vectors.size()) / size;
    for (Index j = 0; j < count; ++j) {
        double *v = vectors.data() + j * size;
        const double whole = std::sqrt(dot(v, v, size));
        double left = take_off(vectors.data(), j, v, size);
        // A vector within the span of those before it gives way to the first unit vector that is not.
        for (Index unit = 0; !(left > 1e-10 * whole); ++unit) {
            std::fill_n(v, size, 0.0);
            v[unit] = 1;
            left = take_off(vectors.data(), j, v, size);
            if (left * left * static_cast<double>(2 * size) < 1) left = 0; // one of them has at least 1/size outside the span
        }
        for (Index i = 0; i < size; ++i) v[i] /= left;
    }
}

} // namespace ganglion
