// Vec, Mask and Bits over 128-bit registers: SSE2 alone, the baseline of x86-64. Same contract as in vec_scalar.inl; the fma
// is that of soft_fma.inl, to be included before this file, done two lanes at a time.

template <class T> struct Vec;
template <class T> struct Mask; // a lane's bits are all ones or all zeros
template <class T> struct Bits;

template <> struct Mask<float> {
    __m128 native;
    friend Mask operator&(Mask a, Mask b) { return {_mm_and_ps(a.native, b.native)}; }
    friend Mask operator|(Mask a, Mask b) { return {_mm_or_ps(a.native, b.native)}; }
    friend Mask operator!(Mask a) { return {_mm_xor_ps(a.native, _mm_castsi128_ps(_mm_set1_epi32(-1)))}; }
    friend uint32_t lane_bits(Mask a) { return static_cast<uint32_t>(_mm_movemask_ps(a.native)); }
};

template <> struct Mask<double> {
    __m128d native;
    friend Mask operator&(Mask a, Mask b) { return {_mm_and_pd(a.native, b.native)}; }
    friend Mask operator|(Mask a, Mask b) { return {_mm_or_pd(a.native, b.native)}; }
    friend Mask operator!(Mask a) { return {_mm_xor_pd(a.native, _mm_castsi128_pd(_mm_set1_epi32(-1)))}; }
    friend uint32_t lane_bits(Mask a) { return static_cast<uint32_t>(_mm_movemask_pd(a.native)); }
};

template <class T> inline Mask<T> first_lanes(Index n);
template <> [[gnu::always_inline]] inline Mask<float> first_lanes<float>(Index n) {
    const __m128i count = _mm_set1_epi32(static_cast<int32_t>(n > 4 ? 4 : n < 0 ? 0 : n));
    return {_mm_castsi128_ps(_mm_cmpgt_epi32(count, _mm_setr_epi32(0, 1, 2, 3)))};
}
template <> [[gnu::always_inline]] inline Mask<double> first_lanes<double>(Index n) {
    const __m128i count = _mm_set1_epi32(static_cast<int32_t>(n > 2 ? 2 : n < 0 ? 0 : n));
    return {_mm_castsi128_pd(_mm_cmpgt_epi32(count, _mm_setr_epi32(0, 0, 1, 1)))};
}

[[gnu::always_inline]] inline __m128i blend(__m128i mask, __m128i a, __m128i b) {
    return _mm_or_si128(_mm_and_si128(mask, a), _mm_andnot_si128(mask, b));
}

template <> struct Bits<float> {
    __m128i native;
    static Bits broadcast(int32_t value) { return {_mm_set1_epi32(value)}; }
    friend Bits operator+(Bits a, Bits b) { return {_mm_add_epi32(a.native, b.native)}; }
    friend Bits operator-(Bits a, Bits b) { return {_mm_sub_epi32(a.native, b.native)}; }
    friend Bits operator&(Bits a, Bits b) { return {_mm_and_si128(a.native, b.native)}; }
    friend Bits operator|(Bits a, Bits b) { return {_mm_or_si128(a.native, b.native)}; }
    friend Bits operator^(Bits a, Bits b) { return {_mm_xor_si128(a.native, b.native)}; }
    friend Mask<float> operator>(Bits a, Bits b) { return {_mm_castsi128_ps(_mm_cmpgt_epi32(a.native, b.native))}; }
    friend Bits max(Bits a, Bits b) { return {blend(_mm_cmpgt_epi32(a.native, b.native), a.native, b.native)}; }
    friend Bits max_where(Mask<float> mask, Bits a, Bits b) { return max(a, Bits{_mm_castps_si128(mask.native)} & b); }
    friend float largest_lane(Bits a) {
        const Bits two = max(a, {_mm_unpackhi_epi64(a.native, a.native)});
        const Bits one = max(two, {_mm_shuffle_epi32(two.native, 1)});
        return _mm_cvtss_f32(_mm_castsi128_ps(one.native));
    }
};

template <> struct Bits<double> {
    __m128i native;
    static Bits broadcast(int64_t value) { return {_mm_set1_epi64x(value)}; }
    friend Bits operator+(Bits a, Bits b) { return {_mm_add_epi64(a.native, b.native)}; }
    friend Bits operator-(Bits a, Bits b) { return {_mm_sub_epi64(a.native, b.native)}; }
    friend Bits operator&(Bits a, Bits b) { return {_mm_and_si128(a.native, b.native)}; }
    friend Bits operator|(Bits a, Bits b) { return {_mm_or_si128(a.native, b.native)}; }
    friend Bits operator^(Bits a, Bits b) { return {_mm_xor_si128(a.native, b.native)}; }
    friend Mask<double> operator>(Bits a, Bits b) {
        // Where the upper halves are equal, the upper half of b - a is the borrow of the lower ones.
        const __m128i equal = _mm_and_si128(_mm_cmpeq_epi32(a.native, b.native), _mm_sub_epi64(b.native, a.native));
        const __m128i greater = _mm_or_si128(_mm_cmpgt_epi32(a.native, b.native), equal);
        return {_mm_castsi128_pd(_mm_shuffle_epi32(greater, 0xf5))};
    }
    friend Bits max(Bits a, Bits b) { return {blend(_mm_castpd_si128((a > b).native), a.native, b.native)}; }
    friend Bits max_where(Mask<double> mask, Bits a, Bits b) { return max(a, Bits{_mm_castpd_si128(mask.native)} & b); }
    friend double largest_lane(Bits a) {
        const Bits one = max(a, {_mm_unpackhi_epi64(a.native, a.native)});
        return _mm_cvtsd_f64(_mm_castsi128_pd(one.native));
    }
};

template <int count> [[gnu::always_inline]] inline Bits<float> shift_left(Bits<float> a) { return {_mm_slli_epi32(a.native, count)}; }
template <int count> [[gnu::always_inline]] inline Bits<float> shift_right(Bits<float> a) { return {_mm_srli_epi32(a.native, count)}; }
template <int count> [[gnu::always_inline]] inline Bits<double> shift_left(Bits<double> a) { return {_mm_slli_epi64(a.native, count)}; }
template <int count> [[gnu::always_inline]] inline Bits<double> shift_right(Bits<double> a) { return {_mm_srli_epi64(a.native, count)}; }

struct ExactSums {
    __m128d value, error;
};

[[gnu::always_inline]] inline ExactSums exact_sum(__m128d a, __m128d b) {
    const __m128d value = _mm_add_pd(a, b);
    const __m128d b_seen = _mm_sub_pd(value, a);
    return {value, _mm_add_pd(_mm_sub_pd(a, _mm_sub_pd(value, b_seen)), _mm_sub_pd(b, b_seen))};
}

[[gnu::always_inline]] inline __m128d rounded_to_odd(ExactSums sum) {
    const __m128d size = _mm_andnot_pd(_mm_set1_pd(-0.0), sum.error);
    const __m128i inexact = _mm_castpd_si128(_mm_cmplt_pd(_mm_setzero_pd(), size));
    const __m128i opposite = _mm_castpd_si128(_mm_xor_pd(sum.value, sum.error));
    const __m128i away = _mm_srli_epi64(_mm_and_si128(inexact, opposite), 63);
    const __m128i truncated = _mm_sub_epi64(_mm_castpd_si128(sum.value), away);
    return _mm_castsi128_pd(_mm_or_si128(truncated, _mm_srli_epi64(inexact, 63)));
}

[[gnu::always_inline]] inline __m128d upper_half(__m128d x) {
    const __m128d scaled = _mm_mul_pd(x, _mm_set1_pd(134217729.0));
    return _mm_sub_pd(scaled, _mm_sub_pd(scaled, x));
}

// Two floats of each operand, the upper two ignored.
[[gnu::always_inline]] inline __m128 fma_of_two(__m128 a, __m128 b, __m128 c) {
    const __m128d product = _mm_mul_pd(_mm_cvtps_pd(a), _mm_cvtps_pd(b));
    return _mm_cvtpd_ps(rounded_to_odd(exact_sum(product, _mm_cvtps_pd(c))));
}

[[gnu::noinline, maybe_unused]] __m128d integer_fma(__m128d a, __m128d b, __m128d c) {
    const double low = integer_fma(_mm_cvtsd_f64(a), _mm_cvtsd_f64(b), _mm_cvtsd_f64(c));
    const __m128d a_high = _mm_unpackhi_pd(a, a), b_high = _mm_unpackhi_pd(b, b), c_high = _mm_unpackhi_pd(c, c);
    return _mm_setr_pd(low, integer_fma(_mm_cvtsd_f64(a_high), _mm_cvtsd_f64(b_high), _mm_cvtsd_f64(c_high)));
}

[[gnu::always_inline]] inline __m128d fma_of_two(__m128d a, __m128d b, __m128d c) {
    const __m128d large = _mm_set1_pd(0x1p990), small = _mm_set1_pd(0x1p-900), zero = _mm_setzero_pd(), sign = _mm_set1_pd(-0.0);
    const __m128d product = _mm_mul_pd(a, b);
    const __m128d size = _mm_andnot_pd(sign, product);
    const __m128d factors = _mm_max_pd(_mm_andnot_pd(sign, a), _mm_andnot_pd(sign, b)); // a NaN lost here is found in the product
    const __m128d bounded =
        _mm_and_pd(_mm_cmplt_pd(factors, large), _mm_and_pd(_mm_cmplt_pd(size, large), _mm_cmplt_pd(_mm_andnot_pd(sign, c), large)));
    const __m128d exact = _mm_or_pd(_mm_cmpgt_pd(size, small), _mm_or_pd(_mm_cmpeq_pd(a, zero), _mm_cmpeq_pd(b, zero)));
    if (_mm_movemask_pd(_mm_and_pd(bounded, exact)) != 3) return integer_fma(a, b, c);
    const __m128d a_high = upper_half(a), a_low = _mm_sub_pd(a, a_high), b_high = upper_half(b), b_low = _mm_sub_pd(b, b_high);
    const __m128d first = _mm_sub_pd(_mm_mul_pd(a_high, b_high), product);
    const __m128d middle = _mm_add_pd(_mm_add_pd(first, _mm_mul_pd(a_high, b_low)), _mm_mul_pd(a_low, b_high));
    const ExactSums low = exact_sum(c, _mm_add_pd(middle, _mm_mul_pd(a_low, b_low)));
    const ExactSums high = exact_sum(product, low.value);
    const __m128d result = _mm_add_pd(high.value, rounded_to_odd(exact_sum(low.error, high.error)));
    const __m128d is_zero = _mm_cmpeq_pd(result, zero);
    return _mm_or_pd(_mm_and_pd(is_zero, _mm_add_pd(product, c)), _mm_andnot_pd(is_zero, result));
}

template <> struct Vec<float> {
    using Element = float;
    static constexpr Index width = 4;
    __m128 native;

    static Vec zero() { return {_mm_setzero_ps()}; }
    static Vec broadcast(float value) { return {_mm_set1_ps(value)}; }
    static Vec load(const float *from) { return {_mm_loadu_ps(from)}; }
    static Vec load_parts(const float *from, Index) { return load(from); }
    static Vec load(const float *from, Index n) {
        if (n >= 4) return load(from);
        alignas(16) float lanes[4] = {};
        __builtin_memcpy(lanes, from, static_cast<size_t>(n) * sizeof(float));
        return {_mm_load_ps(lanes)};
    }
    void store(float *to) const { _mm_storeu_ps(to, native); }
    void store(float *to, Index n) const {
        alignas(16) float lanes[4];
        _mm_store_ps(lanes, native);
        __builtin_memcpy(to, lanes, static_cast<size_t>(n) * sizeof(float));
    }

    friend Vec operator+(Vec a, Vec b) { return {_mm_add_ps(a.native, b.native)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm_sub_ps(a.native, b.native)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm_mul_ps(a.native, b.native)}; }
    friend Vec operator/(Vec a, Vec b) { return {_mm_div_ps(a.native, b.native)}; }
    friend Vec operator-(Vec a) { return {_mm_xor_ps(a.native, _mm_set1_ps(-0.0f))}; }
    friend Vec fma(Vec a, Vec b, Vec c) {
        const __m128 low = fma_of_two(a.native, b.native, c.native);
        const __m128 high =
            fma_of_two(_mm_movehl_ps(a.native, a.native), _mm_movehl_ps(b.native, b.native), _mm_movehl_ps(c.native, c.native));
        return {_mm_movelh_ps(low, high)};
    }
    friend Vec sqrt(Vec a) { return {_mm_sqrt_ps(a.native)}; }
    friend Vec min(Vec a, Vec b) { return {_mm_min_ps(a.native, b.native)}; }
    friend Vec max(Vec a, Vec b) { return {_mm_max_ps(a.native, b.native)}; }
    friend Vec abs(Vec a) { return {_mm_andnot_ps(_mm_set1_ps(-0.0f), a.native)}; }

    friend Mask<float> operator<(Vec a, Vec b) { return {_mm_cmplt_ps(a.native, b.native)}; }
    friend Mask<float> operator<=(Vec a, Vec b) { return {_mm_cmple_ps(a.native, b.native)}; }
    friend Mask<float> operator>(Vec a, Vec b) { return {_mm_cmplt_ps(b.native, a.native)}; }
    friend Mask<float> operator>=(Vec a, Vec b) { return {_mm_cmple_ps(b.native, a.native)}; }
    friend Mask<float> operator==(Vec a, Vec b) { return {_mm_cmpeq_ps(a.native, b.native)}; }
    friend Vec select(Mask<float> mask, Vec a, Vec b) {
        return {_mm_or_ps(_mm_and_ps(mask.native, a.native), _mm_andnot_ps(mask.native, b.native))};
    }

    friend Bits<float> as_bits(Vec a) { return {_mm_castps_si128(a.native)}; }
};

template <> struct Vec<double> {
    using Element = double;
    static constexpr Index width = 2;
    __m128d native;

    static Vec zero() { return {_mm_setzero_pd()}; }
    static Vec broadcast(double value) { return {_mm_set1_pd(value)}; }
    static Vec load(const double *from) { return {_mm_loadu_pd(from)}; }
    static Vec load_parts(const double *from, Index) { return load(from); }
    static Vec load(const double *from, Index n) { return n >= 2 ? load(from) : n == 1 ? Vec{_mm_load_sd(from)} : zero(); }
    void store(double *to) const { _mm_storeu_pd(to, native); }
    void store(double *to, Index n) const {
        if (n >= 2) store(to);
        else if (n == 1) _mm_store_sd(to, native);
    }

    friend Vec operator+(Vec a, Vec b) { return {_mm_add_pd(a.native, b.native)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm_sub_pd(a.native, b.native)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm_mul_pd(a.native, b.native)}; }
    friend Vec operator/(Vec a, Vec b) { return {_mm_div_pd(a.native, b.native)}; }
    friend Vec operator-(Vec a) { return {_mm_xor_pd(a.native, _mm_set1_pd(-0.0))}; }
    friend Vec fma(Vec a, Vec b, Vec c) { return {fma_of_two(a.native, b.native, c.native)}; }
    friend Vec sqrt(Vec a) { return {_mm_sqrt_pd(a.native)}; }
    friend Vec min(Vec a, Vec b) { return {_mm_min_pd(a.native, b.native)}; }
    friend Vec max(Vec a, Vec b) { return {_mm_max_pd(a.native, b.native)}; }
    friend Vec abs(Vec a) { return {_mm_andnot_pd(_mm_set1_pd(-0.0), a.native)}; }

    friend Mask<double> operator<(Vec a, Vec b) { return {_mm_cmplt_pd(a.native, b.native)}; }
    friend Mask<double> operator<=(Vec a, Vec b) { return {_mm_cmple_pd(a.native, b.native)}; }
    friend Mask<double> operator>(Vec a, Vec b) { return {_mm_cmplt_pd(b.native, a.native)}; }
    friend Mask<double> operator>=(Vec a, Vec b) { return {_mm_cmple_pd(b.native, a.native)}; }
    friend Mask<double> operator==(Vec a, Vec b) { return {_mm_cmpeq_pd(a.native, b.native)}; }
    friend Vec select(Mask<double> mask, Vec a, Vec b) {
        return {_mm_or_pd(_mm_and_pd(mask.native, a.native), _mm_andnot_pd(mask.native, b.native))};
    }

    friend Bits<double> as_bits(Vec a) { return {_mm_castpd_si128(a.native)}; }
};

[[gnu::always_inline]] inline Vec<float> as_float(Bits<float> a) { return {_mm_castsi128_ps(a.native)}; }
[[gnu::always_inline]] inline Vec<double> as_float(Bits<double> a) { return {_mm_castsi128_pd(a.native)}; }

[[gnu::always_inline]] inline float tree(const Vec<float> (&lanes)[4]) {
    const __m128 four = _mm_add_ps(_mm_add_ps(lanes[0].native, lanes[2].native), _mm_add_ps(lanes[1].native, lanes[3].native));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

[[gnu::always_inline]] inline double tree(const Vec<double> (&lanes)[8]) {
    __m128d eight[4];
    for (int i = 0; i < 4; ++i) eight[i] = _mm_add_pd(lanes[i].native, lanes[i + 4].native);
    const __m128d two = _mm_add_pd(_mm_add_pd(eight[0], eight[2]), _mm_add_pd(eight[1], eight[3]));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

[[gnu::always_inline]] inline float highest_lane(Vec<float> v) {
    const __m128 two = _mm_max_ps(v.native, _mm_movehl_ps(v.native, v.native));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

[[gnu::always_inline]] inline double highest_lane(Vec<double> v) {
    return _mm_cvtsd_f64(_mm_max_sd(v.native, _mm_unpackhi_pd(v.native, v.native)));
}

// The products of the lanes' lower 32 bits, unsigned; the even and the odd lanes of both, taken in turn.
[[gnu::always_inline]] inline Bits<double> multiply_lower(Bits<double> a, Bits<double> b) { return {_mm_mul_epu32(a.native, b.native)}; }
[[gnu::always_inline]] inline Bits<double> even_lanes(Bits<double> a, Bits<double> b) { return {_mm_unpacklo_epi64(a.native, b.native)}; }
[[gnu::always_inline]] inline Bits<double> odd_lanes(Bits<double> a, Bits<double> b) { return {_mm_unpackhi_epi64(a.native, b.native)}; }

// Of the last columns of a product: no shorter one is worth a type here.
template <class T> using ShortVec = Vec<T>;
template <class T> [[gnu::always_inline]] inline Vec<T> whole(Vec<T> v) { return v; }
