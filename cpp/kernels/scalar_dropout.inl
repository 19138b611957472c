// Dropout of the scalar set.

// Word c % 4 of the block for column c; Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC11.
inline uint32_t philox_word(const DropoutMask &mask, Index r, Index c) {
    uint32_t x[4] = {mask.first + static_cast<uint32_t>(r) * mask.row_blocks + static_cast<uint32_t>(c / 4), mask.step, mask.epoch,
                     mask.purpose};
    uint32_t key[2] = {mask.key[0], mask.key[1]};
    for (int round = 0; round < 10; ++round) {
        const uint64_t left = uint64_t{0xD2511F53} * x[0], right = uint64_t{0xCD9E8D57} * x[2];
        x[0] = static_cast<uint32_t>(right >> 32) ^ x[1] ^ key[0];
        x[1] = static_cast<uint32_t>(right);
        x[2] = static_cast<uint32_t>(left >> 32) ^ x[3] ^ key[1];
        x[3] = static_cast<uint32_t>(left);
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    return x[c % 4];
}

template <class T> T dropout(const MatrixView<const T> &x, const DropoutMask &mask, T scale, const MatrixView<T> &out) {
    T largest = 0;
    for (Index r = 0; r < x.rows; ++r)
        for (Index c = 0; c < x.columns; ++c) {
            const bool kept = static_cast<int32_t>(philox_word(mask, r, c) >> 8) >= mask.threshold;
            row_of(out, r)[c] = kept ? flushed(row_of(x, r)[c] * scale) : T(0);
            largest = larger(largest, row_of(out, r)[c]);
        }
    return largest;
}
