// Memory that is read soon, as runs of cache lines that products may fetch beside their arithmetic.
#pragma once
#include "ganglion/kernel_set.hpp"
#include <cstdint>
#include <vector>

namespace ganglion {

// What is larger does not stay in a core's own caches from one step to the next.
constexpr Index near_bytes = Index{1} << 20;

template <class T> void append_run(const T *first, Index elements, std::vector<Lines> &lines) {
    const char *const begin = reinterpret_cast<const char *>(first);
    const Index into_line = static_cast<Index>(reinterpret_cast<std::uintptr_t>(first) % std::uintptr_t{line_bytes});
    const Index bytes = into_line + elements * static_cast<Index>(sizeof(T));
    lines.push_back({begin - into_line, (bytes + line_bytes - 1) / line_bytes});
}

} // namespace ganglion
