// Vec, Mask and Bits over 256-bit registers (AVX2 and FMA). Same contract as in vec_scalar.inl.

template <class T> struct Vec;
template <class T> struct Mask; // a lane's bits are all ones or all zeros
template <class T> struct Bits;

template <> struct Mask<float> {
    __m256 native;
    friend Mask operator&(Mask a, Mask b) { return {_mm256_and_ps(a.native, b.native)}; }
    friend Mask operator|(Mask a, Mask b) { return {_mm256_or_ps(a.native, b.native)}; }
    friend Mask operator!(Mask a) { return {_mm256_xor_ps(a.native, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))}; }
    friend uint32_t lane_bits(Mask a) { return static_cast<uint32_t>(_mm256_movemask_ps(a.native)); }
};

template <> struct Mask<double> {
    __m256d native;
    friend Mask operator&(Mask a, Mask b) { return {_mm256_and_pd(a.native, b.native)}; }
    friend Mask operator|(Mask a, Mask b) { return {_mm256_or_pd(a.native, b.native)}; }
    friend Mask operator!(Mask a) { return {_mm256_xor_pd(a.native, _mm256_castsi256_pd(_mm256_set1_epi32(-1)))}; }
    friend uint32_t lane_bits(Mask a) { return static_cast<uint32_t>(_mm256_movemask_pd(a.native)); }
};

[[gnu::always_inline]] inline __m256i first_integers(float, Index n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(n > 8 ? 8 : n < 0 ? 0 : n)), lane);
}
[[gnu::always_inline]] inline __m256i first_integers(double, Index n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

template <class T> inline Mask<T> first_lanes(Index n);
template <> [[gnu::always_inline]] inline Mask<float> first_lanes<float>(Index n) { return {_mm256_castsi256_ps(first_integers(0.0f, n))}; }
template <> [[gnu::always_inline]] inline Mask<double> first_lanes<double>(Index n) {
    return {_mm256_castsi256_pd(first_integers(0.0, n))};
}

template <> struct Bits<float> {
    __m256i native;
    static Bits broadcast(int32_t value) { return {_mm256_set1_epi32(value)}; }
    friend Bits operator+(Bits a, Bits b) { return {_mm256_add_epi32(a.native, b.native)}; }
    friend Bits operator-(Bits a, Bits b) { return {_mm256_sub_epi32(a.native, b.native)}; }
    friend Bits operator&(Bits a, Bits b) { return {_mm256_and_si256(a.native, b.native)}; }
    friend Bits operator|(Bits a, Bits b) { return {_mm256_or_si256(a.native, b.native)}; }
    friend Bits operator^(Bits a, Bits b) { return {_mm256_xor_si256(a.native, b.native)}; }
    friend Mask<float> operator>(Bits a, Bits b) { return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(a.native, b.native))}; }
    friend Bits max(Bits a, Bits b) { return {_mm256_max_epi32(a.native, b.native)}; }
    friend Bits max_where(Mask<float> mask, Bits a, Bits b) { return max(a, Bits{_mm256_castps_si256(mask.native)} & b); }
    friend float largest_lane(Bits a) {
        const __m128i four = _mm_max_epi32(_mm256_castsi256_si128(a.native), _mm256_extracti128_si256(a.native, 1));
        const __m128i two = _mm_max_epi32(four, _mm_unpackhi_epi64(four, four));
        return _mm_cvtss_f32(_mm_castsi128_ps(_mm_max_epi32(two, _mm_shuffle_epi32(two, 1))));
    }
};

template <> struct Bits<double> {
    __m256i native;
    static Bits broadcast(int64_t value) { return {_mm256_set1_epi64x(value)}; }
    friend Bits operator+(Bits a, Bits b) { return {_mm256_add_epi64(a.native, b.native)}; }
    friend Bits operator-(Bits a, Bits b) { return {_mm256_sub_epi64(a.native, b.native)}; }
    friend Bits operator&(Bits a, Bits b) { return {_mm256_and_si256(a.native, b.native)}; }
    friend Bits operator|(Bits a, Bits b) { return {_mm256_or_si256(a.native, b.native)}; }
    friend Bits operator^(Bits a, Bits b) { return {_mm256_xor_si256(a.native, b.native)}; }
    friend Mask<double> operator>(Bits a, Bits b) { return {_mm256_castsi256_pd(_mm256_cmpgt_epi64(a.native, b.native))}; }
    friend Bits max(Bits a, Bits b) { return {_mm256_blendv_epi8(b.native, a.native, _mm256_cmpgt_epi64(a.native, b.native))}; }
    friend Bits max_where(Mask<double> mask, Bits a, Bits b) { return max(a, Bits{_mm256_castpd_si256(mask.native)} & b); }
    friend double largest_lane(Bits a) {
        const Bits two = max(a, {_mm256_permute4x64_epi64(a.native, 0x4e)});
        const Bits one = max(two, {_mm256_shuffle_epi32(two.native, 0x4e)});
        return _mm256_cvtsd_f64(_mm256_castsi256_pd(one.native));
    }
};

template <int count> [[gnu::always_inline]] inline Bits<float> shift_left(Bits<float> a) { return {_mm256_slli_epi32(a.native, count)}; }
template <int count> [[gnu::always_inline]] inline Bits<float> shift_right(Bits<float> a) { return {_mm256_srli_epi32(a.native, count)}; }
template <int count> [[gnu::always_inline]] inline Bits<double> shift_left(Bits<double> a) { return {_mm256_slli_epi64(a.native, count)}; }
template <int count> [[gnu::always_inline]] inline Bits<double> shift_right(Bits<double> a) { return {_mm256_srli_epi64(a.native, count)}; }

template <> struct Vec<float> {
    using Element = float;
    static constexpr Index width = 8;
    __m256 native;

    static Vec zero() { return {_mm256_setzero_ps()}; }
    static Vec broadcast(float value) { return {_mm256_set1_ps(value)}; }
    static Vec load(const float *from) { return {_mm256_loadu_ps(from)}; }
    static Vec load_parts(const float *from, Index distance) {
        return {_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from)), _mm_loadu_ps(from + distance), 1)};
    }
    static Vec load(const float *from, Index n) { return {_mm256_maskload_ps(from, first_integers(0.0f, n))}; }
    void store(float *to) const { _mm256_storeu_ps(to, native); }
    void store(float *to, Index n) const { _mm256_maskstore_ps(to, first_integers(0.0f, n), native); }

    friend Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.native, b.native)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.native, b.native)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.native, b.native)}; }
    friend Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.native, b.native)}; }
    friend Vec operator-(Vec a) { return {_mm256_xor_ps(a.native, _mm256_set1_ps(-0.0f))}; }
    friend Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.native, b.native, c.native)}; }
    friend Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.native)}; }
    friend Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.native, b.native)}; }
    friend Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.native, b.native)}; }
    friend Vec abs(Vec a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.native)}; }

    friend Mask<float> operator<(Vec a, Vec b) { return {_mm256_cmp_ps(a.native, b.native, _CMP_LT_OQ)}; }
    friend Mask<float> operator<=(Vec a, Vec b) { return {_mm256_cmp_ps(a.native, b.native, _CMP_LE_OQ)}; }
    friend Mask<float> operator>(Vec a, Vec b) { return {_mm256_cmp_ps(a.native, b.native, _CMP_GT_OQ)}; }
    friend Mask<float> operator>=(Vec a, Vec b) { return {_mm256_cmp_ps(a.native, b.native, _CMP_GE_OQ)}; }
    friend Mask<float> operator==(Vec a, Vec b) { return {_mm256_cmp_ps(a.native, b.native, _CMP_EQ_OQ)}; }
    friend Vec select(Mask<float> mask, Vec a, Vec b) { return {_mm256_blendv_ps(b.native, a.native, mask.native)}; }

    friend Bits<float> as_bits(Vec a) { return {_mm256_castps_si256(a.native)}; }
};

template <> struct Vec<double> {
    using Element = double;
    static constexpr Index width = 4;
    __m256d native;

    static Vec zero() { return {_mm256_setzero_pd()}; }
    static Vec broadcast(double value) { return {_mm256_set1_pd(value)}; }
    static Vec load(const double *from) { return {_mm256_loadu_pd(from)}; }
    static Vec load_parts(const double *from, Index distance) {
        return {_mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(from)), _mm_loadu_pd(from + distance), 1)};
    }
    static Vec load(const double *from, Index n) { return {_mm256_maskload_pd(from, first_integers(0.0, n))}; }
    void store(double *to) const { _mm256_storeu_pd(to, native); }
    void store(double *to, Index n) const { _mm256_maskstore_pd(to, first_integers(0.0, n), native); }

    friend Vec operator+(Vec a, Vec b) { return {_mm256_add_pd(a.native, b.native)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm256_sub_pd(a.native, b.native)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm256_mul_pd(a.native, b.native)}; }
    friend Vec operator/(Vec a, Vec b) { return {_mm256_div_pd(a.native, b.native)}; }
    friend Vec operator-(Vec a) { return {_mm256_xor_pd(a.native, _mm256_set1_pd(-0.0))}; }
    friend Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_pd(a.native, b.native, c.native)}; }
    friend Vec sqrt(Vec a) { return {_mm256_sqrt_pd(a.native)}; }
    friend Vec min(Vec a, Vec b) { return {_mm256_min_pd(a.native, b.native)}; }
    friend Vec max(Vec a, Vec b) { return {_mm256_max_pd(a.native, b.native)}; }
    friend Vec abs(Vec a) { return {_mm256_andnot_pd(_mm256_set1_pd(-0.0), a.native)}; }

    friend Mask<double> operator<(Vec a, Vec b) { return {_mm256_cmp_pd(a.native, b.native, _CMP_LT_OQ)}; }
    friend Mask<double> operator<=(Vec a, Vec b) { return {_mm256_cmp_pd(a.native, b.native, _CMP_LE_OQ)}; }
    friend Mask<double> operator>(Vec a, Vec b) { return {_mm256_cmp_pd(a.native, b.native, _CMP_GT_OQ)}; }
    friend Mask<double> operator>=(Vec a, Vec b) { return {_mm256_cmp_pd(a.native, b.native, _CMP_GE_OQ)}; }
    friend Mask<double> operator==(Vec a, Vec b) { return {_mm256_cmp_pd(a.native, b.native, _CMP_EQ_OQ)}; }
    friend Vec select(Mask<double> mask, Vec a, Vec b) { return {_mm256_blendv_pd(b.native, a.native, mask.native)}; }

    friend Bits<double> as_bits(Vec a) { return {_mm256_castpd_si256(a.native)}; }
};

[[gnu::always_inline]] inline Vec<float> as_float(Bits<float> a) { return {_mm256_castsi256_ps(a.native)}; }
[[gnu::always_inline]] inline Vec<double> as_float(Bits<double> a) { return {_mm256_castsi256_pd(a.native)}; }

[[gnu::always_inline]] inline float tree(const Vec<float> (&lanes)[2]) {
    const __m256 eight = _mm256_add_ps(lanes[0].native, lanes[1].native);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

[[gnu::always_inline]] inline double tree(const Vec<double> (&lanes)[4]) {
    const __m256d eight[2] = {_mm256_add_pd(lanes[0].native, lanes[2].native), _mm256_add_pd(lanes[1].native, lanes[3].native)};
    const __m256d four = _mm256_add_pd(eight[0], eight[1]);
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

[[gnu::always_inline]] inline float highest_lane(Vec<float> v) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(v.native), _mm256_extractf128_ps(v.native, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

[[gnu::always_inline]] inline double highest_lane(Vec<double> v) {
    const __m128d two = _mm_max_pd(_mm256_castpd256_pd128(v.native), _mm256_extractf128_pd(v.native, 1));
    return _mm_cvtsd_f64(_mm_max_sd(two, _mm_unpackhi_pd(two, two)));
}

// The products of the lanes' lower 32 bits, unsigned; the even and the odd lanes of both, taken in turn.
[[gnu::always_inline]] inline Bits<double> multiply_lower(Bits<double> a, Bits<double> b) { return {_mm256_mul_epu32(a.native, b.native)}; }
[[gnu::always_inline]] inline Bits<double> even_lanes(Bits<double> a, Bits<double> b) {
    return {_mm256_unpacklo_epi64(a.native, b.native)};
}
[[gnu::always_inline]] inline Bits<double> odd_lanes(Bits<double> a, Bits<double> b) { return {_mm256_unpackhi_epi64(a.native, b.native)}; }

// Of the last columns of a product: no shorter one is worth a type here.
template <class T> using ShortVec = Vec<T>;
template <class T> [[gnu::always_inline]] inline Vec<T> whole(Vec<T> v) { return v; }
