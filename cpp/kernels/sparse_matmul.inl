// Products that leave out the zeros of A. ReLU, dropout and pictures leave half and more of a matrix zero, in no order; an fma with
// one of them changes nothing but the sign of a zero, which the end of every product makes +. A row of A takes V vectors of columns
// through `skipping_depth` of k at a time: sums in registers, one fma for each element of A that is not 0, its operand read from a
// panel of B that fits L1. C's lines are not taken from other threads: a row's sums are stored as soon as they are there. On Zen 4, where
// L1 gives one vector a cycle, 128·512·512 is 1.4, 1.85 and 2.7 times as fast as with the dense tiles where half, a third and a fifth of A
// is not zero, and 0.7 where all is (bench/micro/sparse_products.py). With half of A and strips of 4 or 16 vectors it is 1.3 or 1.1;
// fetching the next panel ahead, or copying it first, gained nothing. Where B comes from L3, 112·1024·1024, it is 1.1 with half of A and
// 0.9 with six tenths, and a step of four layers of 1024 takes as long without this.

constexpr Index skipping_depth = 64; // a bit each in one word
constexpr int skipping_vectors = 8;
constexpr Index fetched_lines = 16; // at most, beside a row of A

// Bit k: a[k] is not zero. A NaN is not.
template <class T> uint64_t nonzero_bits(const T *a, Index n) {
    constexpr Index width = Vec<T>::width;
    uint64_t bits = 0;
    Index k = 0;
    for (; k + width <= n; k += width) bits |= uint64_t{lane_bits(!(Vec<T>::load(a + k) == Vec<T>::zero()))} << k;
    if (k < n) bits |= uint64_t{lane_bits(!(Vec<T>::load(a + k, n - k) == Vec<T>::zero()))} << k;
    return bits;
}

// The lines of a row's elements; of those across, its part of what `line` rows have in common.
template <class Act, class T> [[gnu::always_inline]] inline void lines_beside_row(const Product<T> &p, Index i, Index j, Index columns) {
    if (p.along)
        for (Index c = j; c < j + columns; c += line_elements<T>) Act::line_at(p.along + i * p.along_row + c);
    if (p.across)
        for (Index c = j + i % line_elements<T>; c < j + columns && c < p.across_rows; c += line_elements<T>)
            Act::line_at(p.across + c * p.across_row + i - i % line_elements<T>);
}

// Copies some lines of the next row, and asks for some of the next run.
template <class T> [[gnu::always_inline]] inline void fetch_lines(const Product<T> &p) {
    if (!p.ahead) return;
    if (Copy<T> *const copy = p.copies->next; copy != p.copies->end)
        for (Index l = 0; l < fetched_lines; ++l)
            if (copy_line(*copy)) {
                ++p.copies->next;
                break;
            }
    if (p.ahead->next == p.ahead->end) return;
    Lines &run = *p.ahead->next;
    const Index count = run.count < fetched_lines ? run.count : fetched_lines;
    for (Index l = 0; l < count; ++l) __builtin_prefetch(run.first + l * line_bytes, 0, 2);
    run.first += count * line_bytes;
    run.count -= count;
    if (run.count == 0) ++p.ahead->next;
}

template <class T, int V> void skipping_strip(const Product<T> &p, Index j) {
    constexpr Index width = Vec<T>::width;
    for (Index first = 0; first < p.K; first += skipping_depth) {
        const Index depth = p.K - first < skipping_depth ? p.K - first : skipping_depth;
        const bool starts = first == 0 && !p.accumulate, ends = first + depth == p.K;
        const T *const panel = p.b + first * p.b_row + j;
        for (Index i = 0; i < p.M; ++i) {
            fetch_lines(p);
            const T *const a = p.a + i * p.a_row + first;
            T *const c = p.c + i * p.c_row + j;
            Vec<T> sum[size_t{V}];
            if (starts) {
#pragma GCC unroll 8
                for (int v = 0; v < V; ++v) sum[v] = Vec<T>::zero();
            } else {
#pragma GCC unroll 8
                for (int v = 0; v < V; ++v) sum[v] = Vec<T>::load(c + v * width);
            }
            for (uint64_t left = nonzero_bits(a, depth); left != 0; left &= left - 1) {
                const Index k = __builtin_ctzll(left);
                const Vec<T> factor = Vec<T>::broadcast(a[k]);
                const T *const row = panel + k * p.b_row;
#pragma GCC unroll 8
                for (int v = 0; v < V; ++v) sum[v] = fma(factor, Vec<T>::load(row + v * width), sum[v]);
            }
            if (ends) {
#pragma GCC unroll 8
                for (int v = 0; v < V; ++v) sum[v] = sum[v] + Vec<T>::zero();
                const Index ahead = p.others_read ? line_elements<T> : 0;
                if (i + ahead < p.M) lines_beside_row<Fetch>(p, i + ahead, j, V * width);
                if (p.others_read) lines_beside_row<Own>(p, i, j, V * width);
            }
#pragma GCC unroll 8
            for (int v = 0; v < V; ++v) sum[v].store(c + v * width);
        }
    }
}

template <class T> using Strip = void (*)(const Product<T> &, Index);

// strips<T>[V - 1] computes V vectors of columns.
template <class T, int... V> struct StripTable {
    static constexpr Strip<T> vectors[] = {skipping_strip<T, V + 1>...};
};
template <class T> constexpr const Strip<T> *strips = StripTable<T, __integer_pack(skipping_vectors)...>::vectors;

// Strips as equal as possible; the columns beyond the last whole vector go to the dense tiles.
template <class T> void sparse_matmul(const Product<T> &p) {
    constexpr Index width = Vec<T>::width;
    const Index vectors = p.N / width, count = (vectors + skipping_vectors - 1) / skipping_vectors;
    Index j = 0;
    for (Index strip = 0; strip < count; ++strip) {
        const Index taken = vectors / count + (strip < vectors % count ? 1 : 0);
        strips<T>[taken - 1](p, j);
        j += taken * width;
    }
    if (j == p.N) return;
    Product<T> rest = p;
    rest.N -= j;
    rest.b += j;
    rest.c += j;
    if (rest.along) rest.along += j;
    if (rest.across) rest.across += j * rest.across_row, rest.across_rows -= j;
    matmul(rest);
}

// How many elements are not zero; a NaN is not. Ones are added, as the baseline set has no instruction that counts bits: up to 2²⁴ for
// each lane.
template <class T> Index nonzeros(const MatrixView<const T> &x) {
    const Vec<T> one = Vec<T>::broadcast(1);
    Vec<T> ones = Vec<T>::zero();
    sweep_rows<T>(x.rows, x.columns, [&](Index r, Index j, auto last) {
        const Vec<T> v = load_row(x.data + r * x.stride + j, x.columns - j, last);
        ones = ones + select(v == Vec<T>::zero(), Vec<T>::zero(), one);
    });
    T lanes[size_t{Vec<T>::width}];
    ones.store(lanes);
    Index count = 0;
    for (const T lane : lanes) count += static_cast<Index>(lane);
    return count;
}
