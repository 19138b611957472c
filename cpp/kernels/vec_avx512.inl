// Vec, Mask and Bits over 512-bit registers (AVX-512 F, DQ, BW, VL). Same contract as in vec_scalar.inl.
//
// Where an intrinsic's plain form makes GCC 12 warn of an uninitialized operand inside its own header, the zero-masked form
// with all lanes chosen stands for it; it compiles to the same instruction.

template <class T> struct Vec;
template <class T> struct Mask;
template <class T> struct Bits;

template <> struct Mask<float> {
    __mmask16 native;
    friend Mask operator&(Mask a, Mask b) { return {static_cast<__mmask16>(a.native & b.native)}; }
    friend Mask operator|(Mask a, Mask b) { return {static_cast<__mmask16>(a.native | b.native)}; }
    friend Mask operator!(Mask a) { return {static_cast<__mmask16>(~a.native)}; }
    friend uint32_t lane_bits(Mask a) { return a.native; }
};

template <> struct Mask<double> {
    __mmask8 native;
    friend Mask operator&(Mask a, Mask b) { return {static_cast<__mmask8>(a.native & b.native)}; }
    friend Mask operator|(Mask a, Mask b) { return {static_cast<__mmask8>(a.native | b.native)}; }
    friend Mask operator!(Mask a) { return {static_cast<__mmask8>(~a.native)}; }
    friend uint32_t lane_bits(Mask a) { return a.native; }
};

constexpr __mmask16 all_floats = 0xffff;
constexpr __mmask8 all_doubles = 0xff;

template <class T> [[gnu::always_inline]] inline Mask<T> first_lanes(Index n) {
    constexpr Index width = 64 / sizeof(T);
    const Index lanes = n < 0 ? 0 : n > width ? width : n;
    return {static_cast<decltype(Mask<T>::native)>((1u << lanes) - 1u)};
}

template <> struct Bits<float> {
    __m512i native;
    static Bits broadcast(int32_t value) { return {_mm512_set1_epi32(value)}; }
    friend Bits operator+(Bits a, Bits b) { return {_mm512_add_epi32(a.native, b.native)}; }
    friend Bits operator-(Bits a, Bits b) { return {_mm512_sub_epi32(a.native, b.native)}; }
    friend Bits operator&(Bits a, Bits b) { return {_mm512_and_si512(a.native, b.native)}; }
    friend Bits operator|(Bits a, Bits b) { return {_mm512_or_si512(a.native, b.native)}; }
    friend Bits operator^(Bits a, Bits b) { return {_mm512_xor_si512(a.native, b.native)}; }
    friend Mask<float> operator>(Bits a, Bits b) { return {_mm512_cmpgt_epi32_mask(a.native, b.native)}; }
    friend Bits max(Bits a, Bits b) { return {_mm512_maskz_max_epi32(all_floats, a.native, b.native)}; }
    friend Bits max_where(Mask<float> mask, Bits a, Bits b) { return {_mm512_mask_max_epi32(a.native, mask.native, a.native, b.native)}; }
    friend float largest_lane(Bits a) {
        const __m256i eight =
            _mm256_max_epi32(_mm512_maskz_extracti32x8_epi32(0xff, a.native, 0), _mm512_maskz_extracti32x8_epi32(0xff, a.native, 1));
        const __m128i four = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
        const __m128i two = _mm_max_epi32(four, _mm_unpackhi_epi64(four, four));
        return _mm_cvtss_f32(_mm_castsi128_ps(_mm_max_epi32(two, _mm_shuffle_epi32(two, 1))));
    }
};

template <> struct Bits<double> {
    __m512i native;
    static Bits broadcast(int64_t value) { return {_mm512_set1_epi64(value)}; }
    friend Bits operator+(Bits a, Bits b) { return {_mm512_add_epi64(a.native, b.native)}; }
    friend Bits operator-(Bits a, Bits b) { return {_mm512_sub_epi64(a.native, b.native)}; }
    friend Bits operator&(Bits a, Bits b) { return {_mm512_and_si512(a.native, b.native)}; }
    friend Bits operator|(Bits a, Bits b) { return {_mm512_or_si512(a.native, b.native)}; }
    friend Bits operator^(Bits a, Bits b) { return {_mm512_xor_si512(a.native, b.native)}; }
    friend Mask<double> operator>(Bits a, Bits b) { return {_mm512_cmpgt_epi64_mask(a.native, b.native)}; }
    friend Bits max(Bits a, Bits b) { return {_mm512_maskz_max_epi64(all_doubles, a.native, b.native)}; }
    friend Bits max_where(Mask<double> mask, Bits a, Bits b) { return {_mm512_mask_max_epi64(a.native, mask.native, a.native, b.native)}; }
    friend double largest_lane(Bits a) {
        const __m256i four =
            _mm256_max_epi64(_mm512_maskz_extracti64x4_epi64(0xf, a.native, 0), _mm512_maskz_extracti64x4_epi64(0xf, a.native, 1));
        const __m128i two = _mm_max_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
        return _mm_cvtsd_f64(_mm_castsi128_pd(_mm_max_epi64(two, _mm_unpackhi_epi64(two, two))));
    }
};

template <int count> [[gnu::always_inline]] inline Bits<float> shift_left(Bits<float> a) {
    return {_mm512_maskz_slli_epi32(all_floats, a.native, count)};
}
template <int count> [[gnu::always_inline]] inline Bits<float> shift_right(Bits<float> a) {
    return {_mm512_maskz_srli_epi32(all_floats, a.native, count)};
}
template <int count> [[gnu::always_inline]] inline Bits<double> shift_left(Bits<double> a) {
    return {_mm512_maskz_slli_epi64(all_doubles, a.native, count)};
}
template <int count> [[gnu::always_inline]] inline Bits<double> shift_right(Bits<double> a) {
    return {_mm512_maskz_srli_epi64(all_doubles, a.native, count)};
}

template <> struct Vec<float> {
    using Element = float;
    static constexpr Index width = 16;
    __m512 native;

    static Vec zero() { return {_mm512_setzero_ps()}; }
    static Vec broadcast(float value) { return {_mm512_set1_ps(value)}; }
    static Vec load(const float *from) { return {_mm512_loadu_ps(from)}; }
    static Vec load_parts(const float *from, Index distance) {
        __m512 parts = _mm512_maskz_broadcast_f32x4(all_floats, _mm_loadu_ps(from));
        parts = _mm512_mask_broadcast_f32x4(parts, 0x00f0, _mm_loadu_ps(from + distance));
        parts = _mm512_mask_broadcast_f32x4(parts, 0x0f00, _mm_loadu_ps(from + 2 * distance));
        return {_mm512_mask_broadcast_f32x4(parts, 0xf000, _mm_loadu_ps(from + 3 * distance))};
    }
    static Vec load(const float *from, Index n) { return {_mm512_maskz_loadu_ps(first_lanes<float>(n).native, from)}; }
    void store(float *to) const { _mm512_storeu_ps(to, native); }
    void store(float *to, Index n) const { _mm512_mask_storeu_ps(to, first_lanes<float>(n).native, native); }

    friend Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.native, b.native)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.native, b.native)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.native, b.native)}; }
    friend Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.native, b.native)}; }
    friend Vec operator-(Vec a) { return {_mm512_xor_ps(a.native, _mm512_set1_ps(-0.0f))}; }
    friend Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.native, b.native, c.native)}; }
    friend Vec sqrt(Vec a) { return {_mm512_maskz_sqrt_ps(all_floats, a.native)}; }
    friend Vec min(Vec a, Vec b) { return {_mm512_maskz_min_ps(all_floats, a.native, b.native)}; }
    friend Vec max(Vec a, Vec b) { return {_mm512_maskz_max_ps(all_floats, a.native, b.native)}; }
    friend Vec abs(Vec a) { return {_mm512_andnot_ps(_mm512_set1_ps(-0.0f), a.native)}; }

    friend Mask<float> operator<(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.native, b.native, _CMP_LT_OQ)}; }
    friend Mask<float> operator<=(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.native, b.native, _CMP_LE_OQ)}; }
    friend Mask<float> operator>(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.native, b.native, _CMP_GT_OQ)}; }
    friend Mask<float> operator>=(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.native, b.native, _CMP_GE_OQ)}; }
    friend Mask<float> operator==(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.native, b.native, _CMP_EQ_OQ)}; }
    friend Vec select(Mask<float> mask, Vec a, Vec b) { return {_mm512_mask_blend_ps(mask.native, b.native, a.native)}; }

    friend Bits<float> as_bits(Vec a) { return {_mm512_castps_si512(a.native)}; }
};

template <> struct Vec<double> {
    using Element = double;
    static constexpr Index width = 8;
    __m512d native;

    static Vec zero() { return {_mm512_setzero_pd()}; }
    static Vec broadcast(double value) { return {_mm512_set1_pd(value)}; }
    static Vec load(const double *from) { return {_mm512_loadu_pd(from)}; }
    static Vec load_parts(const double *from, Index distance) {
        __m512d parts = _mm512_maskz_broadcast_f64x2(all_doubles, _mm_loadu_pd(from));
        parts = _mm512_mask_broadcast_f64x2(parts, 0x0c, _mm_loadu_pd(from + distance));
        parts = _mm512_mask_broadcast_f64x2(parts, 0x30, _mm_loadu_pd(from + 2 * distance));
        return {_mm512_mask_broadcast_f64x2(parts, 0xc0, _mm_loadu_pd(from + 3 * distance))};
    }
    static Vec load(const double *from, Index n) { return {_mm512_maskz_loadu_pd(first_lanes<double>(n).native, from)}; }
    void store(double *to) const { _mm512_storeu_pd(to, native); }
    void store(double *to, Index n) const { _mm512_mask_storeu_pd(to, first_lanes<double>(n).native, native); }

    friend Vec operator+(Vec a, Vec b) { return {_mm512_add_pd(a.native, b.native)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm512_sub_pd(a.native, b.native)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm512_mul_pd(a.native, b.native)}; }
    friend Vec operator/(Vec a, Vec b) { return {_mm512_div_pd(a.native, b.native)}; }
    friend Vec operator-(Vec a) { return {_mm512_xor_pd(a.native, _mm512_set1_pd(-0.0))}; }
    friend Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_pd(a.native, b.native, c.native)}; }
    friend Vec sqrt(Vec a) { return {_mm512_maskz_sqrt_pd(all_doubles, a.native)}; }
    friend Vec min(Vec a, Vec b) { return {_mm512_maskz_min_pd(all_doubles, a.native, b.native)}; }
    friend Vec max(Vec a, Vec b) { return {_mm512_maskz_max_pd(all_doubles, a.native, b.native)}; }
    friend Vec abs(Vec a) { return {_mm512_andnot_pd(_mm512_set1_pd(-0.0), a.native)}; }

    friend Mask<double> operator<(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.native, b.native, _CMP_LT_OQ)}; }
    friend Mask<double> operator<=(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.native, b.native, _CMP_LE_OQ)}; }
    friend Mask<double> operator>(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.native, b.native, _CMP_GT_OQ)}; }
    friend Mask<double> operator>=(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.native, b.native, _CMP_GE_OQ)}; }
    friend Mask<double> operator==(Vec a, Vec b) { return {_mm512_cmp_pd_mask(a.native, b.native, _CMP_EQ_OQ)}; }
    friend Vec select(Mask<double> mask, Vec a, Vec b) { return {_mm512_mask_blend_pd(mask.native, b.native, a.native)}; }

    friend Bits<double> as_bits(Vec a) { return {_mm512_castpd_si512(a.native)}; }
};

[[gnu::always_inline]] inline Vec<float> as_float(Bits<float> a) { return {_mm512_castsi512_ps(a.native)}; }
[[gnu::always_inline]] inline Vec<double> as_float(Bits<double> a) { return {_mm512_castsi512_pd(a.native)}; }

[[gnu::always_inline]] inline float tree(const Vec<float> (&lanes)[1]) {
    const __m512 all = lanes[0].native;
    const __m256 eight = _mm256_add_ps(_mm512_maskz_extractf32x8_ps(0xff, all, 0), _mm512_maskz_extractf32x8_ps(0xff, all, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

[[gnu::always_inline]] inline double tree(const Vec<double> (&lanes)[2]) {
    const __m512d eight = _mm512_add_pd(lanes[0].native, lanes[1].native);
    const __m256d four = _mm256_add_pd(_mm512_maskz_extractf64x4_pd(0xf, eight, 0), _mm512_maskz_extractf64x4_pd(0xf, eight, 1));
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

[[gnu::always_inline]] inline float highest_lane(Vec<float> v) {
    const __m256 eight = _mm256_max_ps(_mm512_maskz_extractf32x8_ps(0xff, v.native, 0), _mm512_maskz_extractf32x8_ps(0xff, v.native, 1));
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

[[gnu::always_inline]] inline double highest_lane(Vec<double> v) {
    const __m256d four = _mm256_max_pd(_mm512_maskz_extractf64x4_pd(0xf, v.native, 0), _mm512_maskz_extractf64x4_pd(0xf, v.native, 1));
    const __m128d two = _mm_max_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_max_sd(two, _mm_unpackhi_pd(two, two)));
}

// The products of the lanes' lower 32 bits, unsigned; the even and the odd lanes of both, taken in turn.
[[gnu::always_inline]] inline Bits<double> multiply_lower(Bits<double> a, Bits<double> b) {
    return {_mm512_maskz_mul_epu32(all_doubles, a.native, b.native)};
}
[[gnu::always_inline]] inline Bits<double> even_lanes(Bits<double> a, Bits<double> b) {
    return {_mm512_maskz_unpacklo_epi64(all_doubles, a.native, b.native)};
}
[[gnu::always_inline]] inline Bits<double> odd_lanes(Bits<double> a, Bits<double> b) {
    return {_mm512_maskz_unpackhi_epi64(all_doubles, a.native, b.native)};
}

// Half a register for a product's last columns where they are no more: Zen 4 multiplies two of them in a cycle, but one whole.
template <class T> struct ShortVec;
template <> struct ShortVec<float> {
    static constexpr Index width = 8;
    __m256 native;
    static ShortVec zero() { return {_mm256_setzero_ps()}; }
    static ShortVec broadcast(float value) { return {_mm256_set1_ps(value)}; }
    static ShortVec load(const float *from) { return {_mm256_loadu_ps(from)}; }
    static ShortVec load(const float *from, Index n) { return {_mm256_maskz_loadu_ps(lanes(n), from)}; }
    void store(float *to) const { _mm256_storeu_ps(to, native); }
    void store(float *to, Index n) const { _mm256_mask_storeu_ps(to, lanes(n), native); }
    friend ShortVec operator+(ShortVec a, ShortVec b) { return {_mm256_add_ps(a.native, b.native)}; }
    friend ShortVec fma(ShortVec a, ShortVec b, ShortVec c) { return {_mm256_fmadd_ps(a.native, b.native, c.native)}; }

    static __mmask8 lanes(Index n) { return static_cast<__mmask8>(first_lanes<float>(n).native); }
};
template <> struct ShortVec<double> {
    static constexpr Index width = 4;
    __m256d native;
    static ShortVec zero() { return {_mm256_setzero_pd()}; }
    static ShortVec broadcast(double value) { return {_mm256_set1_pd(value)}; }
    static ShortVec load(const double *from) { return {_mm256_loadu_pd(from)}; }
    static ShortVec load(const double *from, Index n) { return {_mm256_maskz_loadu_pd(first_lanes<double>(n).native, from)}; }
    void store(double *to) const { _mm256_storeu_pd(to, native); }
    void store(double *to, Index n) const { _mm256_mask_storeu_pd(to, first_lanes<double>(n).native, native); }
    friend ShortVec operator+(ShortVec a, ShortVec b) { return {_mm256_add_pd(a.native, b.native)}; }
    friend ShortVec fma(ShortVec a, ShortVec b, ShortVec c) { return {_mm256_fmadd_pd(a.native, b.native, c.native)}; }
};

// A whole vector of which these are the first lanes.
[[gnu::always_inline]] inline Vec<float> whole(ShortVec<float> v) { return {_mm512_maskz_broadcast_f32x8(0x00ff, v.native)}; }
[[gnu::always_inline]] inline Vec<double> whole(ShortVec<double> v) { return {_mm512_maskz_broadcast_f64x4(0x0f, v.native)}; }
template <class T> [[gnu::always_inline]] inline Vec<T> whole(Vec<T> v) { return v; }

// The first P lanes over and over. Written as a shuffle, GCC 12 takes a register of indices for pairs of floats.
template <int P> [[gnu::always_inline]] inline ShortVec<float> first_lanes_repeated(ShortVec<float> v) {
    const __m128 four = _mm256_castps256_ps128(v.native);
    if constexpr (P == 2) return {_mm256_castpd_ps(_mm256_broadcastsd_pd(_mm_castps_pd(four)))};
    else return {_mm256_maskz_broadcast_f32x4(0xff, four)};
}
template <int P> [[gnu::always_inline]] inline ShortVec<double> first_lanes_repeated(ShortVec<double> v) {
    return {_mm256_maskz_broadcast_f64x2(0xf, _mm256_castpd256_pd128(v.native))};
}

// Lanes P·q … P·q + P - 1 of `part`, the others of `v`. With masks: blends of immediate lanes reach half of the registers only, and sums
// of a tile would go to memory.
template <int P> [[gnu::always_inline]] inline ShortVec<float> with_part(ShortVec<float> v, ShortVec<float> part, int q) {
    return {_mm256_mask_blend_ps(static_cast<__mmask8>(((1 << P) - 1) << (P * q)), v.native, part.native)};
}
template <int P> [[gnu::always_inline]] inline ShortVec<double> with_part(ShortVec<double> v, ShortVec<double> part, int q) {
    return {_mm256_mask_blend_pd(static_cast<__mmask8>(((1 << P) - 1) << (P * q)), v.native, part.native)};
}
