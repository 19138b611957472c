#include "ganglion/random.hpp"
#include "ganglion/elementary.hpp"

#include <cmath>
#include <numeric>
#include <utility>

namespace ganglion {
std::array<double, 2> normal(std::uint32_t first, std::uint32_t second) {
    const double radius = std::sqrt(-2 * logarithm(1 - uniform(first)));
    const auto [cosine, sine] = circle(uniform(second));
    return {radius * cosine, radius * sine};
}

std::array<double, 4> uniform(const Philox::Words &words) {
    return {uniform(words[0]), uniform(words[1]), uniform(words[2]), uniform(words[3])};
}

std::array<double, 4> normal(const Philox::Words &words) {
    const auto [a, b] = normal(words[0], words[1]);
    const auto [c, d] = normal(words[2], words[3]);
    return {a, b, c, d};
}

void shuffle(const Stream &stream, std::span<std::int32_t> rows) {
    std::iota(rows.begin(), rows.end(), 0);
    Philox::Words words{};
    for (std::size_t i = rows.size(); i-- > 1;) {
        if (i % 4 == 3 || i + 1 == rows.size()) words = stream.block(static_cast<std::uint32_t>(i / 4));
        const std::uint64_t partner = (static_cast<std::uint64_t>(words[i % 4]) * (i + 1)) >> 32;
        std::swap(rows[i], rows[partner]);
    }
}

} // namespace ganglion
