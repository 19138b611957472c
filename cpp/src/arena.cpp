#include "ganglion/arena.hpp"
#include <cstdlib>
#include <limits>
#include <new>
#include <stdexcept>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace ganglion {

void *allocate_zeroed(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    constexpr std::size_t line = 64, page = std::size_t{2} << 20;
    const std::size_t alignment = bytes >= page ? page : line;
    if (bytes > std::numeric_limits<std::size_t>::max() - alignment) throw std::bad_alloc();
    const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
    void *memory = std::aligned_alloc(alignment, size);
    if (!memory) throw std::bad_alloc();
#if defined(__linux__)
    if (alignment == page) madvise(memory, size, MADV_HUGEPAGE); // a wish: without huge pages it is only slower
#endif
    std::memset(memory, 0, size);
    return memory;
}

void release(void *memory) noexcept { std::free(memory); }

namespace {

constexpr Index most_elements = std::numeric_limits<Index>::max() / 64; // of any type, with room for padding

[[noreturn]] void throw_too_large() {
    throw std::invalid_argument("the network or batch has more elements than any memory holds; use smaller layers or batches");
}

} // namespace

Index checked_product(Index a, Index b) {
    Index product = 0;
    if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product) || product > most_elements) throw_too_large();
    return product;
}

Index checked_sum(Index a, Index b) {
    if (a > most_elements - b) throw_too_large();
    return a + b;
}

} // namespace ganglion
