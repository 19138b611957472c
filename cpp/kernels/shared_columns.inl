// The last few columns of a register tile. A half vector for each row would be mostly empty, so rows share it: lanes P·q … P·q + P - 1
// are the columns of the q-th of `together` rows, and one fma serves them all. The rows' factors are put side by side on pipes that the
// vectors before leave idle: on Zen 4 96·784·50 takes 64 µs in place of 73, which is what its multiplications take; beside a single
// vector it gains nothing.

template <int... lane> struct Lanes {};
template <class V> using lanes_of = Lanes<__integer_pack(static_cast<int>(V::width))...>;

template <class T, int R, int P> class SharedColumns {
    using V = ShortVec<T>;
    static constexpr int together = static_cast<int>(V::width) / P, groups = (R + together - 1) / together;
    static_assert(together <= 4, "row_of tells no more rows apart");
    V sum_[size_t{groups}], right_, factor_;

    template <int... lane> [[gnu::always_inline]] static V lower(const Vec<T> &v, Lanes<lane...>) {
        return {__builtin_shufflevector(v.native, v.native, lane...)};
    }
    template <int q, int... lane> [[gnu::always_inline]] static V part(const V &v, Lanes<lane...>) {
        return {__builtin_shufflevector(v.native, v.native, (P * q + lane % P)...)};
    }
    // Row r's lanes of `v` from those of `row`.
    [[gnu::always_inline]] static V with_row(const V &v, const V &row, int r) {
        return r % together == 0 ? row : with_part<P>(v, row, r % together);
    }
    // r is a constant once the caller's loop is unrolled.
    [[gnu::always_inline]] static V row_of(const V &v, int r) {
        switch (r % together) {
        case 0: return v;
        case 1: return part<1>(v, lanes_of<V>{});
        case 2: return part<2>(v, lanes_of<V>{});
        default: return part<3>(v, lanes_of<V>{});
        }
    }

  public:
    [[gnu::always_inline]] void clear() {
#pragma GCC unroll 8
        for (int g = 0; g < groups; ++g) sum_[g] = V::zero();
    }
    [[gnu::always_inline]] void load(const T *c, Index c_row, Index columns) {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
            sum_[r / together] = with_row(sum_[r / together], first_lanes_repeated<P>(V::load(c + r * c_row, columns)), r);
    }
    // A row of B.
    [[gnu::always_inline]] void take(const T *b, Index columns) { right_ = first_lanes_repeated<P>(V::load(b, columns)); }
    // The factor of row r, in the order of rows.
    [[gnu::always_inline]] void multiply(int r, const Vec<T> &left) {
        factor_ = with_row(factor_, lower(left, lanes_of<V>{}), r);
        if (r % together == together - 1 || r == R - 1) sum_[r / together] = fma(factor_, right_, sum_[r / together]);
    }
    [[gnu::always_inline]] void store(T *c, Index c_row, Index columns) const {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) row_of(sum_[r / together] + V::zero(), r).store(c + r * c_row, columns);
    }
    template <class Update> [[gnu::always_inline]] void update(T *c, Index c_row, Index columns, Update &update) const {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) update(c + r * c_row, row_of(sum_[r / together] + V::zero(), r), columns);
    }
};
template <class T, int R> class SharedColumns<T, R, 0> {};
