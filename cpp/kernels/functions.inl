// exp, expm1, log, log1p, tanh, sigmoid and the normal distribution on Vec<T>: one fixed sequence of IEEE operations without
// branches, hence the same bits on every set. The worst errors, found by trying every float, are in docs/accuracy.md.
//
// The polynomials are minimax in absolute error (Remez exchange at 60 digits, coefficients then rounded to T):
//   exp_tail:  (eʳ − 1 − r) / r²                          on |r| ≤ ½ ln 2
//   log_tail:  (2 atanh(s) − 2s) / s³ as a function of s²  on |s| ≤ (√2 − 1) / (√2 + 1)
// and one of least squares of relative errors on Chebyshev's points, each coefficient rounded before the next were fitted:
//   normal_ratio: (a + 4) · Q(a) · exp(a²/2), Q the normal distribution's tail, as a function of t = (a − 4) / (a + 4), from
//                 t = −1 to that of a = 14.5 or 39 (the idea of Shepherd & Laframboise 1981)
// log(1+f) = f − f²/2 + s·(f²/2 + s²·log_tail(s²)) with s = f / (2+f) is the form of fdlibm's log.

template <class T> struct Constants;

template <> struct Constants<float> {
    static constexpr int mantissa_bits = 23;
    static constexpr int32_t one = 0x3f800000, sign = -0x7fffffff - 1, fraction = 0x7fffff;
    static constexpr int32_t root_half = 0x3f3504f3; // the bits of √½
    static constexpr int32_t integers = 0x4b000000;  // the bits of 2²³; with k in its low bits it is the float 2²³ + k
    static constexpr float integers_and_bias = 0x1p23f + 127;
    static constexpr float smallest_normal = 0x1p-126f, denormal_scale = 0x1p25f, denormal_exponent = 25;
    static constexpr float infinity = __builtin_inff(), nan = __builtin_nanf("");

    static constexpr float log2_e = 0x1.715476p0f;
    static constexpr float ln2_high = 0x1.62e43p-1f, ln2_low = -0x1.05c61p-29f; // the nearest float and the rest
    static constexpr float rounding = 0x1.8p23f + 2 * 127;                      // adding it rounds to an integer, see ReducedExp
    static constexpr float exp_least = -105, exp_largest = 89;                  // beyond: 0 and infinity
    static constexpr float expm1_least = -20, tanh_largest = 10;                // beyond: −1 and 1
    static constexpr float exp_tail[] = {0x1p-1f, 0x1.555556p-3f, 0x1.5554e8p-5f, 0x1.1110acp-7f, 0x1.6d43b2p-10f, 0x1.a17ebp-13f};

    static constexpr float ln2_short = 0x1.62e4p-1f, ln2_short_rest = 0x1.7f7d1cp-20f; // times any exponent it is exact
    static constexpr float log_tail[] = {0x1.55555cp-1f, 0x1.997be8p-2f, 0x1.2ef104p-2f};

    static constexpr float swish_least = -112, normal_largest = 15; // there z · sigmoid(z) and z · Φ(-z) are 0
    static constexpr float normal_first = 0x1.82b4bcp-1f;           // of the coefficients; the list begins with what it lacks
    static constexpr float normal_ratio[] = {-0x1.b597fap-27f, -0x1.373e3ap-1f,  0x1.8c6db8p-2f,  -0x1.7dff4p-3f,
                                             0x1.eec8b2p-5f,   -0x1.ee2512p-8f,  -0x1.c9ae12p-9f, 0x1.ab2512p-10f,
                                             0x1.62b332p-13f,  -0x1.c1c228p-13f, -0x1.5f5cep-15f};
};

template <> struct Constants<double> {
    static constexpr int mantissa_bits = 52;
    static constexpr int64_t one = 0x3ff0000000000000, sign = -0x7fffffffffffffff - 1, fraction = 0xfffffffffffff;
    static constexpr int64_t root_half = 0x3fe6a09e667f3bcd;
    static constexpr int64_t integers = 0x4330000000000000;
    static constexpr double integers_and_bias = 0x1p52 + 1023;
    static constexpr double smallest_normal = 0x1p-1022, denormal_scale = 0x1p54, denormal_exponent = 54;
    static constexpr double infinity = __builtin_inf(), nan = __builtin_nan("");

    static constexpr double log2_e = 0x1.71547652b82fep0;
    static constexpr double ln2_high = 0x1.62e42fefa39efp-1, ln2_low = 0x1.abc9e3b39803fp-56;
    static constexpr double rounding = 0x1.8p52 + 2 * 1023;
    static constexpr double exp_least = -746, exp_largest = 710;
    static constexpr double expm1_least = -40, tanh_largest = 20;
    static constexpr double exp_tail[] = {0x1p-1,
                                          0x1.5555555555557p-3,
                                          0x1.5555555555558p-5,
                                          0x1.11111111100bdp-7,
                                          0x1.6c16c16c151ccp-10,
                                          0x1.a01a01abf87ecp-13,
                                          0x1.a01a01ad0cc4bp-16,
                                          0x1.71de01fd5bb91p-19,
                                          0x1.27e4cca293abdp-22,
                                          0x1.af4e55fbd67b5p-26,
                                          0x1.1f8b9595a6d26p-29};

    static constexpr double ln2_short = 0x1.62e42fefa3p-1, ln2_short_rest = 0x1.3de6af278ece6p-42;
    static constexpr double log_tail[] = {0x1.5555555555558p-1, 0x1.999999999514ep-2, 0x1.2492492e1b70ap-2, 0x1.c71c62b2515c1p-3,
                                          0x1.7462c2a5a0d29p-3, 0x1.39fc9fcd9d40bp-3, 0x1.2b6d4db923452p-3};

    static constexpr double swish_least = -760, normal_largest = 39.5;
    static constexpr double normal_first = 0x1.82b4bb8c94dcep-1; // of the coefficients; the list begins with what it lacks
    static constexpr double normal_ratio[] = {
        -0x1.a5dba545d9b2bp-56, -0x1.373e3a893c28ap-1, 0x1.8c6dbf2cfc2b3p-2,   -0x1.7dff2bff683bdp-3,  0x1.eec4cc3e4d4e4p-5,
        -0x1.ee27610478061p-8,  -0x1.c81719d57fa13p-9, 0x1.ab825fbf93bcdp-10,  0x1.17a4ae5815d34p-13,  -0x1.e4a4251c6206ap-13,
        -0x1.001e93a419a8cp-19, 0x1.26d093770caafp-15, 0x1.80b628ef51562p-21,  -0x1.8d4a86a4c34d2p-18, -0x1.51f06b9111eaap-21,
        0x1.123178ca9eb29p-20,  0x1.2364f8a941582p-22, -0x1.4cac7dc85dfeap-23, -0x1.6ccca2d2d669cp-24, 0x1.ca4f9fb8802f8p-27,
        0x1.4bec6724f775p-26,   0x1.f5ae754467a2ap-30, -0x1.4f5aa7df93201p-29, -0x1.7a89439beb373p-31};
};

template <class T> [[gnu::always_inline]] inline Vec<T> constant(T value) { return Vec<T>::broadcast(value); }

template <class T> [[gnu::always_inline]] inline Bits<T> sign_of(Vec<T> x) { return as_bits(x) & Bits<T>::broadcast(Constants<T>::sign); }

// A value whose magnitude is below the smallest normal number becomes +0; NaN stays.
template <class T> [[gnu::always_inline]] inline Vec<T> flushed(Vec<T> x) {
    return select(abs(x) < constant(Constants<T>::smallest_normal), Vec<T>::zero(), x);
}

// Σ coefficients[i] · xⁱ by Horner's rule.
template <class T, size_t count> [[gnu::always_inline]] inline Vec<T> polynomial(Vec<T> x, const T (&coefficients)[count]) {
    Vec<T> sum = constant(coefficients[count - 1]);
    for (size_t i = count - 1; i-- > 0;) sum = fma(sum, x, constant(coefficients[i]));
    return sum;
}

// x = n · ln 2 + r for the integer n nearest to x / ln 2, and eʳ = 1 + (high + rest) where `high` is exact, |rest| ≤ |r|²;
// n + 2·bias stands in the low bits of `exponent`. The caller bounds x.
template <class T> struct ReducedExp {
    Bits<T> exponent;
    Vec<T> high, rest;
};

// A `correction` is what x lost when it was rounded.
template <class T, class... Correction>
[[gnu::always_inline]] inline ReducedExp<T> reduced_exp(Vec<T> x, Correction... correction) {
    using C = Constants<T>;
    const Vec<T> shifted = fma(x, constant(C::log2_e), constant(C::rounding));
    const Vec<T> n = shifted - constant(C::rounding);
    const Vec<T> high = fma(n, constant(-C::ln2_high), x);
    const Vec<T> low = ((n * constant(-C::ln2_low)) + ... + correction);
    const Vec<T> r = high + low;
    return {as_bits(shifted), high, fma(r * r, polynomial(r, C::exp_tail), low)};
}

template <class T> [[gnu::always_inline]] inline Vec<T> power_of_two(Bits<T> biased_exponent) {
    return as_float(shift_left<Constants<T>::mantissa_bits>(biased_exponent));
}

// eˣ = value · scale in two factors, which reach the denormals and infinity; what is to be multiplied by a denormal eˣ is
// better multiplied by `value` first.
template <class T> struct ScaledExp {
    Vec<T> value, scale;
};

template <class T> [[gnu::always_inline]] inline ScaledExp<T> scaled_exp(ReducedExp<T> e) {
    const Bits<T> half = shift_right<1>(e.exponent); // ⌊n/2⌋ + bias
    return {((e.high + e.rest) + constant(T(1))) * power_of_two<T>(half), power_of_two<T>(e.exponent - half)};
}

template <class T> [[gnu::always_inline]] inline Vec<T> exp(Vec<T> x) {
    using C = Constants<T>;
    const ScaledExp<T> e = scaled_exp(reduced_exp(min(constant(C::exp_largest), max(constant(C::exp_least), x))));
    return e.value * e.scale;
}

// ½ (eˣ − 1) = 2ⁿ⁻¹ · (high + rest) + (2ⁿ⁻¹ − ½): halved, because 2ⁿ may overflow where the result does not.
template <class T> [[gnu::always_inline]] inline Vec<T> half_expm1(Vec<T> x) {
    constexpr auto bias = Constants<T>::one >> Constants<T>::mantissa_bits;
    const ReducedExp<T> e = reduced_exp(x);
    const Vec<T> scale = power_of_two<T>(e.exponent - Bits<T>::broadcast(bias + 1));
    return fma(scale, e.rest, fma(scale, e.high, scale - constant(T(0.5))));
}

template <class T> [[gnu::always_inline]] inline Vec<T> expm1(Vec<T> x) {
    using C = Constants<T>;
    const Vec<T> half = half_expm1(min(constant(C::exp_largest), max(constant(C::expm1_least), x)));
    return select(abs(x) < constant(T(0x1p-60)), x, half + half); // expm1(x) rounds to x there
}

// a / (1 + b) for b ≥ 0: the quotient by the rounded sum, corrected by its remainder and by what the sum lost.
template <class T> [[gnu::always_inline]] inline Vec<T> over_one_plus(Vec<T> a, Vec<T> b) {
    const Vec<T> one = constant(T(1)), sum = one + b, lost = b - (sum - one);
    const Vec<T> reciprocal = one / sum, quotient = a * reciprocal;
    const Vec<T> remainder = fma(-quotient, lost, fma(-quotient, sum, a));
    return fma(remainder, reciprocal, quotient);
}

// |tanh x| = u / (2 + u), u = expm1(2|x|): positive, so that errors in u are damped and not magnified.
template <class T> [[gnu::always_inline]] inline Vec<T> tanh(Vec<T> x) {
    const Vec<T> size = min(constant(Constants<T>::tanh_largest), abs(x));
    const Vec<T> half = half_expm1(size + size);
    return as_float(as_bits(over_one_plus(half, half)) | sign_of(x));
}

// e^min(x,0) / (1 + e^−|x|)
template <class T> [[gnu::always_inline]] inline Vec<T> sigmoid(Vec<T> x) {
    const Vec<T> e = exp(-abs(x));
    return over_one_plus(select(x < Vec<T>::zero(), e, constant(T(1))), e);
}

// log(u + error) for positive u and |error| at most half a unit in u's last place; u · 2^−shift is what was meant.
template <bool has_error, class T> [[gnu::always_inline]] inline Vec<T> log_of_sum(Vec<T> u, Vec<T> error, Vec<T> shift) {
    using C = Constants<T>;
    const Vec<T> one = constant(T(1)), half = constant(T(0.5));
    const Bits<T> root_half = Bits<T>::broadcast(C::root_half);
    const Bits<T> moved = as_bits(u) + (Bits<T>::broadcast(C::one) - root_half);
    const Bits<T> biased = shift_right<C::mantissa_bits>(moved); // u = 2^k · (1 + f), 1 + f in [√½, √2)
    const Vec<T> k = as_float(biased | Bits<T>::broadcast(C::integers)) - constant(C::integers_and_bias) - shift;
    const Vec<T> f = as_float((moved & Bits<T>::broadcast(C::fraction)) + root_half) - one;
    const Vec<T> reciprocal = one / (f + constant(T(2)));
    const Vec<T> s = f * reciprocal, z = s * s;
    const Vec<T> half_square = half * f * f;
    Vec<T> rest = fma(s, fma(z, polynomial(z, C::log_tail), half_square), -half_square);
    rest = fma(k, constant(C::ln2_short_rest), rest);
    if constexpr (has_error) {
        // error / u, where 1 / (1 + f) = 2 reciprocal / (1 + s); 4 · 2^−k stays a normal number
        constexpr auto four = C::one + (decltype(C::one){2} << C::mantissa_bits);
        constexpr auto bias = C::one >> C::mantissa_bits;
        const Vec<T> scale = as_float(Bits<T>::broadcast(four) - shift_left<C::mantissa_bits>(biased - Bits<T>::broadcast(bias)));
        rest = rest + (error * scale) * (half * reciprocal) * fma(s, s, one - s);
    }
    const Vec<T> whole = k * constant(C::ln2_short); // exact, as is the rounding error of the next sum
    const Vec<T> high = whole + f;
    return high + (rest + (f - (high - whole)));
}

template <class T> [[gnu::always_inline]] inline Vec<T> log(Vec<T> x) {
    using C = Constants<T>;
    const Vec<T> zero = Vec<T>::zero(), infinity = constant(C::infinity);
    const Mask<T> denormal = x < constant(C::smallest_normal);
    const Vec<T> u = select(denormal, x * constant(C::denormal_scale), x);
    Vec<T> y = log_of_sum<false>(u, zero, select(denormal, constant(C::denormal_exponent), zero));
    y = select(x < infinity, y, x);
    y = select(x == zero, -infinity, y);
    return select(x < zero, constant(C::nan), y);
}

template <class T> [[gnu::always_inline]] inline Vec<T> log1p(Vec<T> x) {
    using C = Constants<T>;
    const Vec<T> one = constant(T(1)), zero = Vec<T>::zero();
    const Vec<T> u = one + x;
    const Vec<T> x_seen = u - one;
    Vec<T> y = log_of_sum<true>(u, (one - (u - x_seen)) + (x - x_seen), zero);
    y = select((x == zero) | !(x < constant(C::infinity)), x, y); // keeps −0, infinity and NaN
    y = select(x == -one, constant(-C::infinity), y);
    return select(x < -one, constant(C::nan), y);
}

// log(1 + eˣ) = max(x, 0) + log1p(e^−|x|)
template <class T> [[gnu::always_inline]] inline Vec<T> softplus(Vec<T> x) { return max(x, Vec<T>::zero()) + log1p(exp(-abs(x))); }

// x · sigmoid(x), where x e^x is not lost when e^x alone is denormal; −0 at −infinity.
template <class T> [[gnu::always_inline]] inline Vec<T> swish(Vec<T> x) {
    const Vec<T> least = constant(Constants<T>::swish_least), one = constant(T(1));
    const Vec<T> bounded = max(least, x);
    const ScaledExp<T> e = scaled_exp(reduced_exp(max(least, -abs(x))));
    const Mask<T> negative = x < Vec<T>::zero();
    const Vec<T> share = over_one_plus(select(negative, e.value, one), e.value * e.scale);
    return bounded * share * select(negative, e.scale, one);
}

// The normal distribution at |x|, x beyond `normal_largest` being pulled back there: the density is density · scale / √2π, and
// the tail Q = ½ erfc(|x| / √2) is density · ratio · scale.
template <class T> struct Normal {
    Vec<T> size; // |x|
    Vec<T> density, ratio, scale;
};

template <class T> [[gnu::always_inline]] inline Normal<T> normal(Vec<T> x) {
    using C = Constants<T>;
    const Vec<T> one = constant(T(1)), half = constant(T(0.5)), middle = constant(T(4));
    const Vec<T> size = min(constant(C::normal_largest), abs(x));
    const Vec<T> square = size * size, square_lost = fma(size, size, -square);
    const ScaledExp<T> e = scaled_exp(reduced_exp(-half * square, -half * square_lost));
    const Vec<T> sum = size + middle, sum_lost = (size - (sum - middle)) + (middle - (sum - (sum - middle)));
    const Vec<T> rough = one / sum;
    const Vec<T> reciprocal = fma(rough, fma(-rough, sum_lost, fma(-rough, sum, one)), rough);
    const Vec<T> t = (size - middle) * reciprocal;
    return {size, e.value, (polynomial(t, C::normal_ratio) + constant(C::normal_first)) * reciprocal, e.scale};
}

// Φ(x) = ½ (1 + erf(x / √2)), its tail of full precision too.
template <class T> [[gnu::always_inline]] inline Vec<T> normal_cdf(Vec<T> x) {
    const Normal<T> n = normal(x);
    const Vec<T> tail = n.density * n.ratio * n.scale;
    return select(x < Vec<T>::zero(), tail, constant(T(1)) - tail);
}

// A type list: each row names a kernel and holds its formula.
template <class... Row> struct Rows {
    static constexpr int count = sizeof...(Row);
};

struct Exp {
    static constexpr const char *name = "exp";
    template <class V> [[gnu::always_inline]] static V apply(V x) { return exp(x); }
};
struct Log {
    static constexpr const char *name = "log";
    template <class V> [[gnu::always_inline]] static V apply(V x) { return log(x); }
};
struct Expm1 {
    static constexpr const char *name = "expm1";
    template <class V> [[gnu::always_inline]] static V apply(V x) { return expm1(x); }
};
struct Log1p {
    static constexpr const char *name = "log1p";
    template <class V> [[gnu::always_inline]] static V apply(V x) { return log1p(x); }
};
struct TanhFunction {
    static constexpr const char *name = "tanh";
    template <class V> [[gnu::always_inline]] static V apply(V x) { return tanh(x); }
};
struct SigmoidFunction {
    static constexpr const char *name = "sigmoid";
    template <class V> [[gnu::always_inline]] static V apply(V x) { return sigmoid(x); }
};
struct NormalCdf {
    static constexpr const char *name = "normal_cdf";
    template <class V> [[gnu::always_inline]] static V apply(V x) { return normal_cdf(x); }
};

using Functions = Rows<Exp, Log, Expm1, Log1p, TanhFunction, SigmoidFunction, NormalCdf>;
