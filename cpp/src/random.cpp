#include "ganglion/random.hpp"

#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace ganglion {
namespace {

// log x for normal x > 0, at most 2 ULP off: x = 2^e · m with m in [√½, √2), log m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …)
// with s = (m - 1) / (m + 1); |s| < 0.172, so that the term s²³/23 is below 2⁻⁶⁰ of the first.
double logarithm(double x) {
    const auto bits = std::bit_cast<std::int64_t>(x);
    constexpr auto root_half = std::bit_cast<std::int64_t>(std::numbers::sqrt2 / 2);
    const std::int64_t exponent = (bits - root_half) >> 52;
    const auto m = std::bit_cast<double>(bits - (exponent << 52));
    const double s = (m - 1) / (m + 1);
    double series = 0;
    for (int n = 21; n > 1; n -= 2) series = s * s * (1.0 / n + series);
    return static_cast<double>(exponent) * std::numbers::ln2 + 2 * (s + s * series);
}

// {cos, sin} of 2πu for u in [0, 1): u is exactly a multiple of a quarter plus a rest in [-⅛, ⅛], whose Taylor series
// are below 2⁻⁵⁸ after the terms x¹⁶/16! and x¹⁷/17!.
std::array<double, 2> circle(double u) {
    const int quarter = static_cast<int>(4 * u + 0.5);
    const double x = 2 * std::numbers::pi * (u - 0.25 * quarter);
    double cosine = 1, sine = 1;
    for (int n = 16; n > 0; n -= 2) {
        cosine = 1 - x * x * (1.0 / (n * (n - 1))) * cosine;
        sine = 1 - x * x * (1.0 / (n * (n + 1))) * sine;
    }
    sine *= x;
    switch (quarter % 4) {
    case 0: return {cosine, sine};
    case 1: return {-sine, cosine};
    case 2: return {-cosine, -sine};
    default: return {sine, -cosine};
    }
}

} // namespace

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
