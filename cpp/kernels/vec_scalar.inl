// Vec, Mask and Bits of one lane: plain C++ and the emulated fma of soft_fma.inl, to be included before this file.
//
// The contract, the same in every vec_*.inl:
//   - arithmetic, sqrt and division are IEEE, fma rounds once; nothing is contracted or reordered;
//   - load(p, n) and store(p, n) touch the first n lanes only (0 ≤ n ≤ width), the others read as +0;
//   - min is a < b ? a : b and max a > b ? a : b, so b where either is NaN or both are zeros;
//   - comparisons are false where an operand is NaN; a Mask has a boolean per lane;
//   - lane_bits has bit l set where lane l of a Mask is true;
//   - Bits has a signed integer of T's size per lane; shift_right is logical; max_where, of Bits that are not negative, is max where the
//     mask is true and its first argument elsewhere;
//   - tree adds 16 partial sums: lane l + lane l+8, then + 4, + 2, + 1;
//   - highest_lane is the greatest lane's value, either zero's where that is 0, any lane's where one is NaN.

template <class T> struct Mask {
    bool native;
    friend Mask operator&(Mask a, Mask b) { return {a.native && b.native}; }
    friend Mask operator|(Mask a, Mask b) { return {a.native || b.native}; }
    friend Mask operator!(Mask a) { return {!a.native}; }
    friend bool any(Mask a) { return a.native; }
    friend uint32_t lane_bits(Mask a) { return a.native; }
};

template <class T> inline Mask<T> first_lanes(Index n) { return {n > 0}; }

template <class T> struct IntegerOf;
template <> struct IntegerOf<float> {
    using Signed = int32_t;
    using Unsigned = uint32_t;
};
template <> struct IntegerOf<double> {
    using Signed = int64_t;
    using Unsigned = uint64_t;
};

template <class T> struct Bits {
    using Signed = typename IntegerOf<T>::Signed;
    using Unsigned = typename IntegerOf<T>::Unsigned; // signed overflow is undefined, so sums are unsigned
    Unsigned native;

    static Bits broadcast(Signed value) { return {static_cast<Unsigned>(value)}; }
    friend Bits operator+(Bits a, Bits b) { return {a.native + b.native}; }
    friend Bits operator-(Bits a, Bits b) { return {a.native - b.native}; }
    friend Bits operator&(Bits a, Bits b) { return {a.native & b.native}; }
    friend Bits operator|(Bits a, Bits b) { return {a.native | b.native}; }
    friend Bits operator^(Bits a, Bits b) { return {a.native ^ b.native}; }
    friend Mask<T> operator>(Bits a, Bits b) { return {static_cast<Signed>(a.native) > static_cast<Signed>(b.native)}; }
    friend Bits max(Bits a, Bits b) { return any(a > b) ? a : b; }
    friend Bits max_where(Mask<T> mask, Bits a, Bits b) { return mask.native ? max(a, b) : a; }
    friend T largest_lane(Bits a) { return __builtin_bit_cast(T, a.native); }
};

template <int count, class T> inline Bits<T> shift_left(Bits<T> a) { return {a.native << count}; }
template <int count, class T> inline Bits<T> shift_right(Bits<T> a) { return {a.native >> count}; }

inline float square_root(float x) { return __builtin_sqrtf(x); }
inline double square_root(double x) { return __builtin_sqrt(x); }
inline float magnitude(float x) { return __builtin_fabsf(x); }
inline double magnitude(double x) { return __builtin_fabs(x); }

template <class T> struct Vec {
    using Element = T;
    static constexpr Index width = 1;
    T native;

    static Vec zero() { return {T(0)}; }
    static Vec broadcast(T value) { return {value}; }
    static Vec load(const T *from) { return {*from}; }
    static Vec load(const T *from, Index n) { return {n > 0 ? *from : T(0)}; }
    void store(T *to) const { *to = native; }
    void store(T *to, Index n) const {
        if (n > 0) *to = native;
    }

    friend Vec operator+(Vec a, Vec b) { return {a.native + b.native}; }
    friend Vec operator-(Vec a, Vec b) { return {a.native - b.native}; }
    friend Vec operator*(Vec a, Vec b) { return {a.native * b.native}; }
    friend Vec operator/(Vec a, Vec b) { return {a.native / b.native}; }
    friend Vec operator-(Vec a) { return {-a.native}; }
    friend Vec fma(Vec a, Vec b, Vec c) { return {soft_fma(a.native, b.native, c.native)}; }
    friend Vec sqrt(Vec a) { return {square_root(a.native)}; }
    friend Vec min(Vec a, Vec b) { return a.native < b.native ? a : b; }
    friend Vec max(Vec a, Vec b) { return a.native > b.native ? a : b; }
    friend Vec abs(Vec a) { return {magnitude(a.native)}; }

    friend Mask<T> operator<(Vec a, Vec b) { return {a.native < b.native}; }
    friend Mask<T> operator<=(Vec a, Vec b) { return {a.native <= b.native}; }
    friend Mask<T> operator>(Vec a, Vec b) { return {a.native > b.native}; }
    friend Mask<T> operator>=(Vec a, Vec b) { return {a.native >= b.native}; }
    friend Mask<T> operator==(Vec a, Vec b) { return {a.native == b.native}; }
    friend Vec select(Mask<T> mask, Vec a, Vec b) { return mask.native ? a : b; }

    friend Bits<T> as_bits(Vec a) { return {__builtin_bit_cast(typename Bits<T>::Unsigned, a.native)}; }
};

template <class T> inline Vec<T> as_float(Bits<T> a) { return {__builtin_bit_cast(T, a.native)}; }

template <class T> inline T tree(const Vec<T> (&lanes)[16]) {
    T sums[16];
    for (int lane = 0; lane < 16; ++lane) sums[lane] = lanes[lane].native;
    for (int half = 8; half > 0; half /= 2)
        for (int lane = 0; lane < half; ++lane) sums[lane] = sums[lane] + sums[lane + half];
    return sums[0];
}
