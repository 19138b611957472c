// exp, expm1, log, log1p, tanh, sigmoid and the normal distribution on vectors: one fixed sequence of IEEE operations without
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

// V is Vec<T> or, where there is one, Pair<T>.
template <class V> using BitsOf = decltype(as_bits(V::zero()));
template <class V> using ConstantsOf = Constants<typename V::Element>;
template <class V> [[gnu::always_inline]] inline V constant(typename V::Element value) { return V::broadcast(value); }

template <class V> [[gnu::always_inline]] inline BitsOf<V> sign_of(V x) { return as_bits(x) & BitsOf<V>::broadcast(ConstantsOf<V>::sign); }

// A value whose magnitude is below the smallest normal number becomes +0; NaN stays.
template <class V> [[gnu::always_inline]] inline V flushed(V x) {
    return select(abs(x) < constant<V>(ConstantsOf<V>::smallest_normal), V::zero(), x);
}

// Σ coefficients[i] · xⁱ by Horner's rule.
template <class V, size_t count> [[gnu::always_inline]] inline V polynomial(V x, const typename V::Element (&coefficients)[count]) {
    V sum = constant<V>(coefficients[count - 1]);
    for (size_t i = count - 1; i-- > 0;) sum = fma(sum, x, constant<V>(coefficients[i]));
    return sum;
}

// x = n · ln 2 + r for the integer n nearest to x / ln 2, and eʳ = 1 + (high + rest) where `high` is exact, |rest| ≤ |r|²;
// n + 2·bias stands in the low bits of `exponent`. The caller bounds x.
template <class V> struct ReducedExp {
    BitsOf<V> exponent;
    V high, rest;
};

// A `correction` is what x lost when it was rounded.
template <class V, class... Correction>
[[gnu::always_inline]] inline ReducedExp<V> reduced_exp(V x, Correction... correction) {
    using C = ConstantsOf<V>;
    const V shifted = fma(x, constant<V>(C::log2_e), constant<V>(C::rounding));
    const V n = shifted - constant<V>(C::rounding);
    const V high = fma(n, constant<V>(-C::ln2_high), x);
    const V low = ((n * constant<V>(-C::ln2_low)) + ... + correction);
    const V r = high + low;
    return {as_bits(shifted), high, fma(r * r, polynomial(r, C::exp_tail), low)};
}

template <class V> [[gnu::always_inline]] inline V power_of_two(BitsOf<V> biased_exponent) {
    return as_float(shift_left<ConstantsOf<V>::mantissa_bits>(biased_exponent));
}

// eˣ = value · scale in two factors, which reach the denormals and infinity; what is to be multiplied by a denormal eˣ is
// better multiplied by `value` first.
template <class V> struct ScaledExp {
    V value, scale;
};

template <class V> [[gnu::always_inline]] inline ScaledExp<V> scaled_exp(ReducedExp<V> e) {
    const BitsOf<V> half = shift_right<1>(e.exponent); // ⌊n/2⌋ + bias
    return {((e.high + e.rest) + constant<V>(1)) * power_of_two<V>(half), power_of_two<V>(e.exponent - half)};
}

template <class V> [[gnu::always_inline]] inline V exp(V x) {
    using C = ConstantsOf<V>;
    const ScaledExp<V> e = scaled_exp(reduced_exp(min(constant<V>(C::exp_largest), max(constant<V>(C::exp_least), x))));
    return e.value * e.scale;
}

// ½ (eˣ − 1) = 2ⁿ⁻¹ · (high + rest) + (2ⁿ⁻¹ − ½): halved, because 2ⁿ may overflow where the result does not.
template <class V> [[gnu::always_inline]] inline V half_expm1(V x) {
    constexpr auto bias = ConstantsOf<V>::one >> ConstantsOf<V>::mantissa_bits;
    const ReducedExp<V> e = reduced_exp(x);
    const V scale = power_of_two<V>(e.exponent - BitsOf<V>::broadcast(bias + 1));
    return fma(scale, e.rest, fma(scale, e.high, scale - constant<V>(0.5)));
}

template <class V> [[gnu::always_inline]] inline V expm1(V x) {
    using C = ConstantsOf<V>;
    const V half = half_expm1(min(constant<V>(C::exp_largest), max(constant<V>(C::expm1_least), x)));
    return select(abs(x) < constant<V>(0x1p-60), x, half + half); // expm1(x) rounds to x there
}

// a / (1 + b) for b ≥ 0: the quotient by the rounded sum, corrected by its remainder and by what the sum lost.
template <class V> [[gnu::always_inline]] inline V over_one_plus(V a, V b) {
    const V one = constant<V>(1), sum = one + b, lost = b - (sum - one);
    const V reciprocal = one / sum, quotient = a * reciprocal;
    const V remainder = fma(-quotient, lost, fma(-quotient, sum, a));
    return fma(remainder, reciprocal, quotient);
}

// |tanh x| = u / (2 + u), u = expm1(2|x|): positive, so that errors in u are damped and not magnified.
template <class V> [[gnu::always_inline]] inline V tanh(V x) {
    const V size = min(constant<V>(ConstantsOf<V>::tanh_largest), abs(x));
    const V half = half_expm1(size + size);
    return as_float(as_bits(over_one_plus(half, half)) | sign_of(x));
}

// e^min(x,0) / (1 + e^−|x|)
template <class V> [[gnu::always_inline]] inline V sigmoid(V x) {
    const V e = exp(-abs(x));
    return over_one_plus(select(x < V::zero(), e, constant<V>(1)), e);
}

// log(u + error) for positive u and |error| at most half a unit in u's last place; u · 2^−shift is what was meant.
template <bool has_error, class V> [[gnu::always_inline]] inline V log_of_sum(V u, V error, V shift) {
    using C = ConstantsOf<V>;
    const V one = constant<V>(1), half = constant<V>(0.5);
    const BitsOf<V> root_half = BitsOf<V>::broadcast(C::root_half);
    const BitsOf<V> moved = as_bits(u) + (BitsOf<V>::broadcast(C::one) - root_half);
    const BitsOf<V> biased = shift_right<C::mantissa_bits>(moved); // u = 2^k · (1 + f), 1 + f in [√½, √2)
    const V k = as_float(biased | BitsOf<V>::broadcast(C::integers)) - constant<V>(C::integers_and_bias) - shift;
    const V f = as_float((moved & BitsOf<V>::broadcast(C::fraction)) + root_half) - one;
    const V reciprocal = one / (f + constant<V>(2));
    const V s = f * reciprocal, z = s * s;
    const V half_square = half * f * f;
    V rest = fma(s, fma(z, polynomial(z, C::log_tail), half_square), -half_square);
    rest = fma(k, constant<V>(C::ln2_short_rest), rest);
    if constexpr (has_error) {
        // error / u, where 1 / (1 + f) = 2 reciprocal / (1 + s); 4 · 2^−k stays a normal number
        constexpr auto four = C::one + (decltype(C::one){2} << C::mantissa_bits);
        constexpr auto bias = C::one >> C::mantissa_bits;
        const V scale = as_float(BitsOf<V>::broadcast(four) - shift_left<C::mantissa_bits>(biased - BitsOf<V>::broadcast(bias)));
        rest = rest + (error * scale) * (half * reciprocal) * fma(s, s, one - s);
    }
    const V whole = k * constant<V>(C::ln2_short); // exact, as is the rounding error of the next sum
    const V high = whole + f;
    return high + (rest + (f - (high - whole)));
}

template <class V> [[gnu::always_inline]] inline V log(V x) {
    using C = ConstantsOf<V>;
    const V zero = V::zero(), infinity = constant<V>(C::infinity);
    const auto denormal = x < constant<V>(C::smallest_normal);
    const V u = select(denormal, x * constant<V>(C::denormal_scale), x);
    V y = log_of_sum<false>(u, zero, select(denormal, constant<V>(C::denormal_exponent), zero));
    y = select(x < infinity, y, x);
    y = select(x == zero, -infinity, y);
    return select(x < zero, constant<V>(C::nan), y);
}

template <class V> [[gnu::always_inline]] inline V log1p(V x) {
    using C = ConstantsOf<V>;
    const V one = constant<V>(1), zero = V::zero();
    const V u = one + x;
    const V x_seen = u - one;
    V y = log_of_sum<true>(u, (one - (u - x_seen)) + (x - x_seen), zero);
    y = select((x == zero) | !(x < constant<V>(C::infinity)), x, y); // keeps −0, infinity and NaN
    y = select(x == -one, constant<V>(-C::infinity), y);
    return select(x < -one, constant<V>(C::nan), y);
}

// log(1 + eˣ) = max(x, 0) + log1p(e^−|x|)
template <class V> [[gnu::always_inline]] inline V softplus(V x) { return max(x, V::zero()) + log1p(exp(-abs(x))); }

// x · sigmoid(x), where x e^x is not lost when e^x alone is denormal; −0 at −infinity.
template <class V> [[gnu::always_inline]] inline V swish(V x) {
    const V least = constant<V>(ConstantsOf<V>::swish_least), one = constant<V>(1);
    const V bounded = max(least, x);
    const ScaledExp<V> e = scaled_exp(reduced_exp(max(least, -abs(x))));
    const auto negative = x < V::zero();
    const V share = over_one_plus(select(negative, e.value, one), e.value * e.scale);
    return bounded * share * select(negative, e.scale, one);
}

// The normal distribution at |x|, x beyond `normal_largest` being pulled back there: the density is density · scale / √2π, and
// the tail Q = ½ erfc(|x| / √2) is density · ratio · scale.
template <class V> struct Normal {
    V size; // |x|
    V density, ratio, scale;
};

template <class V> [[gnu::always_inline]] inline Normal<V> normal(V x) {
    using C = ConstantsOf<V>;
    const V one = constant<V>(1), half = constant<V>(0.5), middle = constant<V>(4);
    const V size = min(constant<V>(C::normal_largest), abs(x));
    const V square = size * size, square_lost = fma(size, size, -square);
    const ScaledExp<V> e = scaled_exp(reduced_exp(-half * square, -half * square_lost));
    const V sum = size + middle, sum_lost = (size - (sum - middle)) + (middle - (sum - (sum - middle)));
    const V rough = one / sum;
    const V reciprocal = fma(rough, fma(-rough, sum_lost, fma(-rough, sum, one)), rough);
    const V t = (size - middle) * reciprocal;
    return {size, e.value, (polynomial(t, C::normal_ratio) + constant<V>(C::normal_first)) * reciprocal, e.scale};
}

// Φ(x) = ½ (1 + erf(x / √2)), its tail of full precision too.
template <class V> [[gnu::always_inline]] inline V normal_cdf(V x) {
    const Normal<V> n = normal(x);
    const V tail = n.density * n.ratio * n.scale;
    return select(x < V::zero(), tail, constant<V>(1) - tail);
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
