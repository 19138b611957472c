// Two vectors at a time, in step. The operations of tanh wait for one another, and a core looks ahead no further than over three vectors'
// of them. On Zen 4 sigmoid takes 10 to 17 % less time so, tanh 1 to 10 % (bench/test_activations.py), a step of 17-64-64-6 3 %; four
// vectors in step were no faster.

template <class T> struct PairMask {
    Mask<T> first, second;
    [[gnu::always_inline]] friend PairMask operator|(PairMask a, PairMask b) { return {a.first | b.first, a.second | b.second}; }
    [[gnu::always_inline]] friend PairMask operator!(PairMask a) { return {!a.first, !a.second}; }
};

template <class T> struct PairBits {
    Bits<T> first, second;
    [[gnu::always_inline]] static PairBits broadcast(auto value) { return {Bits<T>::broadcast(value), Bits<T>::broadcast(value)}; }
    [[gnu::always_inline]] friend PairBits operator+(PairBits a, PairBits b) { return {a.first + b.first, a.second + b.second}; }
    [[gnu::always_inline]] friend PairBits operator-(PairBits a, PairBits b) { return {a.first - b.first, a.second - b.second}; }
    [[gnu::always_inline]] friend PairBits operator&(PairBits a, PairBits b) { return {a.first & b.first, a.second & b.second}; }
    [[gnu::always_inline]] friend PairBits operator|(PairBits a, PairBits b) { return {a.first | b.first, a.second | b.second}; }
};

template <class T> struct Pair {
    using Element = T;
    Vec<T> first, second;

    [[gnu::always_inline]] static Pair broadcast(T value) { return {Vec<T>::broadcast(value), Vec<T>::broadcast(value)}; }
    [[gnu::always_inline]] static Pair zero() { return {Vec<T>::zero(), Vec<T>::zero()}; }

    [[gnu::always_inline]] friend Pair operator+(Pair a, Pair b) { return {a.first + b.first, a.second + b.second}; }
    [[gnu::always_inline]] friend Pair operator-(Pair a, Pair b) { return {a.first - b.first, a.second - b.second}; }
    [[gnu::always_inline]] friend Pair operator*(Pair a, Pair b) { return {a.first * b.first, a.second * b.second}; }
    [[gnu::always_inline]] friend Pair operator/(Pair a, Pair b) { return {a.first / b.first, a.second / b.second}; }
    [[gnu::always_inline]] friend Pair operator-(Pair a) { return {-a.first, -a.second}; }
    [[gnu::always_inline]] friend Pair fma(Pair a, Pair b, Pair c) {
        return {fma(a.first, b.first, c.first), fma(a.second, b.second, c.second)};
    }
    [[gnu::always_inline]] friend Pair min(Pair a, Pair b) { return {min(a.first, b.first), min(a.second, b.second)}; }
    [[gnu::always_inline]] friend Pair max(Pair a, Pair b) { return {max(a.first, b.first), max(a.second, b.second)}; }
    [[gnu::always_inline]] friend Pair abs(Pair a) { return {abs(a.first), abs(a.second)}; }

    [[gnu::always_inline]] friend PairMask<T> operator<(Pair a, Pair b) { return {a.first < b.first, a.second < b.second}; }
    [[gnu::always_inline]] friend PairMask<T> operator<=(Pair a, Pair b) { return {a.first <= b.first, a.second <= b.second}; }
    [[gnu::always_inline]] friend PairMask<T> operator==(Pair a, Pair b) { return {a.first == b.first, a.second == b.second}; }
    [[gnu::always_inline]] friend Pair select(PairMask<T> mask, Pair a, Pair b) {
        return {select(mask.first, a.first, b.first), select(mask.second, a.second, b.second)};
    }
    [[gnu::always_inline]] friend PairBits<T> as_bits(Pair a) { return {as_bits(a.first), as_bits(a.second)}; }
};

template <class T> [[gnu::always_inline]] inline Pair<T> as_float(PairBits<T> a) { return {as_float(a.first), as_float(a.second)}; }
template <int count, class T> [[gnu::always_inline]] inline PairBits<T> shift_left(PairBits<T> a) {
    return {shift_left<count>(a.first), shift_left<count>(a.second)};
}
template <int count, class T> [[gnu::always_inline]] inline PairBits<T> shift_right(PairBits<T> a) {
    return {shift_right<count>(a.first), shift_right<count>(a.second)};
}
