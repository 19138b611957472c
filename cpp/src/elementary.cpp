#include "ganglion/elementary.hpp"
#include <bit>
#include <limits>
#include <numbers>

namespace ganglion {

// x = 2^e · m with m in [√½, √2), log m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …)
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

// x = n log 2 + r with |r| ≤ ½ log 2, whose Taylor series is below 2⁻⁵⁷ after the term r¹³/13!. log 2 is the sum of its first
// 33 bits, which n times them are exact, and the rest.
double exponential(double x) {
    constexpr double upper = 0x1.62e42feep-1, lower = 0x1.a39ef35793c76p-33;
    if (x != x) return x;
    if (x > 709.79) return std::numeric_limits<double>::infinity();
    if (x < -745.2) return 0;
    const auto n = static_cast<std::int64_t>(x / std::numbers::ln2 + (x < 0 ? -0.5 : 0.5));
    const double r = (x - static_cast<double>(n) * upper) - static_cast<double>(n) * lower;
    double series = 1;
    for (int k = 13; k > 0; --k) series = 1 + series * r / k;
    const auto two_to = [](std::int64_t exponent) { return std::bit_cast<double>((exponent + 1023) << 52); };
    const std::int64_t half = n / 2; // 2ⁿ alone may be out of range
    return series * two_to(half) * two_to(n - half);
}

// u is exactly a multiple of a quarter plus a rest in [-⅛, ⅛], whose Taylor series
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

double power(double x, std::int64_t n) {
    double result = 1;
    for (; n > 0; n /= 2, x *= x)
        if (n % 2 == 1) result *= x;
    return result;
}

} // namespace ganglion
