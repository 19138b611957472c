#include "ganglion/dispatch.hpp"
#include "ganglion/error.hpp"

namespace ganglion {

extern const KernelSet scalar_kernels;
#if defined(__x86_64__)
extern const KernelSet sse2_kernels, avx2_kernels, avx512_kernels;
#endif

namespace {

const KernelSet *const sets[] = {
#if defined(__x86_64__)
    &avx512_kernels, &avx2_kernels, &sse2_kernels,
#endif
    &scalar_kernels};

uint32_t machine_features() {
    uint32_t features = feature_none;
#if defined(__x86_64__)
    __builtin_cpu_init(); // asks the operating system too whether it saves the wide registers
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) features |= feature_avx2;
    if (__builtin_cpu_supports("fma")) features |= feature_fma;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
        features |= feature_avx512;
#endif
    return features;
}

} // namespace

std::span<const KernelSet *const> kernel_sets() { return sets; }

bool supported(const KernelSet &set) {
    static const uint32_t features = machine_features();
    return (set.features & ~features) == 0;
}

const KernelSet &best_kernel_set() {
    for (const KernelSet *set : sets)
        if (supported(*set)) return *set;
    return scalar_kernels;
}

const KernelSet &find_kernel_set(const std::string &name) {
    std::vector<std::string> known;
    for (const KernelSet *set : sets) {
        if (name == set->name) {
            if (supported(*set)) return *set;
            throw Unsupported("kernel set '" + name + "' needs " + set->description + ", which this processor lacks; use '" +
                              best_kernel_set().name + "' or leave the choice to ganglion");
        }
        known.emplace_back(set->name);
    }
    throw_unknown("kernel set", name, known);
}

} // namespace ganglion
