// Dropout: a vector of 64-bit lanes holds a word of as many Philox blocks, which follow each other in the stream.

struct PhiloxBlocks {
    Bits<double> words[4]; // in the lanes' lower halves; the upper ones hold what is left of products
};

[[gnu::always_inline]] inline PhiloxBlocks philox(Bits<double> block, const DropoutMask &mask) {
    const Bits<double> left_factor = Bits<double>::broadcast(0xD2511F53), right_factor = Bits<double>::broadcast(0xCD9E8D57);
    Bits<double> x0 = block, x1 = Bits<double>::broadcast(mask.step), x2 = Bits<double>::broadcast(mask.epoch),
                 x3 = Bits<double>::broadcast(mask.purpose);
    uint32_t k0 = mask.key[0], k1 = mask.key[1];
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        const Bits<double> left = multiply_lower(x0, left_factor), right = multiply_lower(x2, right_factor);
        x0 = shift_right<32>(right) ^ x1 ^ Bits<double>::broadcast(k0);
        x2 = shift_right<32>(left) ^ x3 ^ Bits<double>::broadcast(k1);
        x1 = right;
        x3 = left;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return {{x0, x1, x2, x3}};
}

// Numbers of a block: lane l holds the block 'order[l]' such that even and odd lanes, each with two words, are in order.
constexpr Index philox_lanes = Vec<double>::width;
struct LaneOrder {
    int64_t block[size_t{philox_lanes}];
    constexpr LaneOrder() : block{} {
        for (Index l = 0; l < philox_lanes; ++l) block[l] = l % 2 * (philox_lanes / 2) + l / 2;
    }
};
constexpr LaneOrder lane_order;

// The upper 24 bits of the words of `philox_lanes` blocks, from `block` on.
template <class T> [[gnu::always_inline]] inline void uniforms(uint32_t block, const DropoutMask &mask, T *out) {
    const Bits<double> lanes = as_bits(Vec<double>::load(reinterpret_cast<const double *>(lane_order.block)));
    const PhiloxBlocks found = philox(Bits<double>::broadcast(block) + lanes, mask);
    const auto [x0, x1, x2, x3] = found.words;
    const Bits<double> lower = Bits<double>::broadcast(0xffffffff);
    const Bits<double> first = (x0 & lower) | shift_left<32>(x1), second = (x2 & lower) | shift_left<32>(x3);
    double stored[size_t{2 * philox_lanes}];
    as_float(even_lanes(first, second)).store(stored);
    as_float(odd_lanes(first, second)).store(stored + philox_lanes);
    uint32_t words[size_t{4 * philox_lanes}];
    __builtin_memcpy(words, stored, sizeof words);
    for (Index i = 0; i < 4 * philox_lanes; ++i) out[i] = static_cast<T>(static_cast<int32_t>(words[i] >> 8));
}

template <class T> T dropout(const MatrixView<const T> &x, const DropoutMask &mask, T scale, const MatrixView<T> &out) {
    constexpr Index group = 4 * philox_lanes;
    const Vec<T> factor = Vec<T>::broadcast(scale), threshold = Vec<T>::broadcast(static_cast<T>(mask.threshold));
    Largest<T> largest;
    for (Index r = 0; r < x.rows; ++r) {
        const T *from = x.data + r * x.stride;
        T *to = out.data + r * out.stride;
        const uint32_t block = mask.first + static_cast<uint32_t>(r) * mask.row_blocks;
        for (Index first = 0; first < x.columns; first += group) {
            T drawn[size_t{group}];
            uniforms(block + static_cast<uint32_t>(first / 4), mask, drawn);
            const Index n = x.columns - first < group ? x.columns - first : group;
            sweep<T>(n, [&](Index j, auto last) {
                const Mask<T> kept = Vec<T>::load(drawn + j) >= threshold;
                const Vec<T> v = select(kept, flushed(load_row(from + first + j, n - j, last) * factor), Vec<T>::zero());
                store_row(v, to + first + j, n - j, last);
                largest.add(inside(v, n - j, last));
            });
        }
    }
    return largest.value();
}
