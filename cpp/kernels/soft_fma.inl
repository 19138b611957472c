// fma(a, b, c) = a·b + c rounded once, for machines without the instruction; exact for every input, denormals, overflow and
// NaN included. libm's fma is no substitute: it picks the instruction at run time and takes some 80 times as long without it.
//
// Source of the method: Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding
// to odd", IEEE Transactions on Computers 57 (2008). A sum rounded to odd with two or more spare bits may be rounded again
// without harm.

// a + b as the rounded sum and its exact error (Knuth's TwoSum).
struct ExactSum {
    double value, error;
};

inline ExactSum exact_sum(double a, double b) {
    const double value = a + b;
    const double b_seen = value - a;
    return {value, (a - (value - b_seen)) + (b - b_seen)};
}

// The sum truncated, with its last bit set where it was inexact. An infinite or NaN value has a NaN error and stays.
inline double rounded_to_odd(ExactSum sum) {
    if (!(sum.error < 0.0 || sum.error > 0.0)) return sum.value;
    const uint64_t bits = __builtin_bit_cast(uint64_t, sum.value);
    const uint64_t away = (bits ^ __builtin_bit_cast(uint64_t, sum.error)) >> 63; // 1: the rounding went away from zero
    return __builtin_bit_cast(double, (bits - away) | 1u);
}

// The product of two floats is exact in double, whose 53 bits are more than the 24 + 2 that the second rounding asks for.
inline float soft_fma(float a, float b, float c) {
    return static_cast<float>(rounded_to_odd(exact_sum(static_cast<double>(a) * static_cast<double>(b), static_cast<double>(c))));
}

__extension__ typedef unsigned __int128 Wide;

// A finite double other than zero as mantissa · 2^exponent with the mantissa's top bit at position 125.
struct Unpacked {
    Wide mantissa;
    int exponent;
};

inline int top_bit(Wide x) {
    const auto high = static_cast<uint64_t>(x >> 64);
    return high != 0 ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll(static_cast<uint64_t>(x));
}

inline Unpacked normalized(Wide mantissa, int exponent) {
    const int shift = 125 - top_bit(mantissa);
    return {mantissa << shift, exponent - shift};
}

inline uint64_t integer_mantissa(double x) {
    const uint64_t bits = __builtin_bit_cast(uint64_t, x);
    const uint64_t fraction = bits & 0xfffffffffffffu;
    return (bits >> 52 & 0x7ffu) == 0 ? fraction : fraction | 0x10000000000000u;
}

inline int integer_exponent(double x) {
    const int biased = static_cast<int>(__builtin_bit_cast(uint64_t, x) >> 52 & 0x7ffu);
    return (biased == 0 ? 1 : biased) - 1075;
}

// x / 2^count, its last bit set where bits were lost.
inline Wide shifted_right_sticky(Wide x, int count) {
    if (count == 0) return x;
    if (count > 127) return x != 0;
    return x >> count | (x << (128 - count) != 0);
}

// ± mantissa · 2^exponent rounded to nearest even; mantissa is not zero.
inline double packed(bool negative, Wide mantissa, int exponent) {
    const int last = top_bit(mantissa) + exponent - 52;
    const int unit = last > -1074 ? last : -1074; // exponent of the result's last bit
    const int shift = unit - exponent;
    uint64_t bits = 0;
    if (shift <= 0) {
        bits = static_cast<uint64_t>(mantissa << -shift);
    } else {
        const Wide quarters = shift < 2 ? mantissa << (2 - shift) : shifted_right_sticky(mantissa, shift - 2);
        bits = static_cast<uint64_t>(quarters >> 2);
        const auto rest = static_cast<unsigned>(quarters & 3u);
        if (rest == 3 || (rest == 2 && (bits & 1u) != 0)) ++bits;
    }
    constexpr uint64_t infinity = uint64_t{0x7ff} << 52;
    bits = unit + 1074 > 2046 ? infinity : bits + (static_cast<uint64_t>(unit + 1074) << 52);
    bits = bits > infinity ? infinity : bits;
    return __builtin_bit_cast(double, bits | static_cast<uint64_t>(negative) << 63);
}

// In 128-bit integers: any input, slow.
[[gnu::noinline, maybe_unused]] double integer_fma(double a, double b, double c) {
    const double infinity = __builtin_inf();
    const bool product_finite = __builtin_fabs(a) < infinity && __builtin_fabs(b) < infinity;
    if (!product_finite || a == 0.0 || b == 0.0) return a * b + c;
    if (!(__builtin_fabs(c) < infinity)) return c;
    const bool product_negative = __builtin_signbit(a) != __builtin_signbit(b);
    const bool addend_negative = __builtin_signbit(c) != 0;
    const Unpacked product =
        normalized(static_cast<Wide>(integer_mantissa(a)) * integer_mantissa(b), integer_exponent(a) + integer_exponent(b));
    if (c == 0.0) return packed(product_negative, product.mantissa, product.exponent);
    const Unpacked addend = normalized(integer_mantissa(c), integer_exponent(c));
    // Bits are lost only at distances over 20, where at most one leading bit cancels: the sticky bit stays far below the rounding.
    const int exponent = product.exponent > addend.exponent ? product.exponent : addend.exponent;
    const Wide x = shifted_right_sticky(product.mantissa, exponent - product.exponent);
    const Wide y = shifted_right_sticky(addend.mantissa, exponent - addend.exponent);
    if (product_negative == addend_negative) return packed(product_negative, x + y, exponent);
    if (x == y) return 0.0;
    return x > y ? packed(product_negative, x - y, exponent) : packed(addend_negative, y - x, exponent);
}

// The double's upper 26 bits (Veltkamp); what remains has 26 bits as well.
inline double upper_half(double x) {
    const double scaled = x * 134217729.0; // 2^27 + 1
    return scaled - (scaled - x);
}

// Dekker's product and Boldo–Melquiond's sum where nothing in between can overflow or be lost below the denormals.
inline double soft_fma(double a, double b, double c) {
    constexpr double large = 0x1p990, small = 0x1p-900;
    const double product = a * b;
    const double size = __builtin_fabs(product);
    const bool safe = __builtin_fabs(a) < large && __builtin_fabs(b) < large && __builtin_fabs(c) < large && size < large &&
                      (size > small || a == 0.0 || b == 0.0);
    if (!safe) return integer_fma(a, b, c);
    const double a_high = upper_half(a), a_low = a - a_high, b_high = upper_half(b), b_low = b - b_high;
    const double error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    const ExactSum low = exact_sum(c, error);
    const ExactSum high = exact_sum(product, low.value);
    const double result = high.value + rounded_to_odd(exact_sum(low.error, high.error));
    return result == 0.0 ? product + c : result; // the sign of an exact zero
}
