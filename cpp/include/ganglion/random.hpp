// Random numbers that depend on seed, purpose and position alone: any thread may compute any element, in any order, again.
// Philox 4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC11.
#pragma once
#include "ganglion/matrix.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace ganglion {

struct Philox {
    using Counter = std::array<std::uint32_t, 4>;
    using Key = std::array<std::uint32_t, 2>;
    using Words = std::array<std::uint32_t, 4>;

    static constexpr Words block(Counter counter, Key key) {
        for (int round = 0; round < 10; ++round) {
            const std::uint64_t left = 0xD2511F53ULL * counter[0];
            const std::uint64_t right = 0xCD9E8D57ULL * counter[2];
            counter = {high(right) ^ counter[1] ^ key[0], low(right), high(left) ^ counter[3] ^ key[1], low(left)};
            key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
        }
        return counter;
    }

  private:
    static constexpr std::uint32_t high(std::uint64_t product) { return static_cast<std::uint32_t>(product >> 32); }
    static constexpr std::uint32_t low(std::uint64_t product) { return static_cast<std::uint32_t>(product); }
};

// What the numbers are for. The values are part of every result: never renumber them.
enum class StreamKind : std::uint32_t { initial_weights = 1, shuffle = 2, dropout = 3, noise = 4 };

// A sequence of 2³⁴ random words: word i is word i % 4 of the block at counter (i / 4, step, epoch, kind · 2²⁴ + index).
struct Stream {
    std::uint64_t seed;
    StreamKind kind;
    std::uint32_t index = 0; // of the parameter or layer in the network, below 2²⁴
    std::uint32_t epoch = 0;
    std::uint32_t step = 0;

    constexpr std::uint32_t purpose() const { return static_cast<std::uint32_t>(kind) << 24 | index; }
    constexpr Philox::Words block(std::uint32_t position) const {
        return Philox::block({position, step, epoch, purpose()},
                             {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
    }
};

// [0, 1) in steps of 2⁻²⁴: exact in either type.
constexpr double uniform(std::uint32_t word) { return static_cast<double>(word >> 8) * 0x1p-24; }

// Two independent standard normal numbers from two words: Box and Muller, "A Note on the Generation of Random Normal
// Deviates", 1958, with our own logarithm, sine and cosine.
std::array<double, 2> normal(std::uint32_t first, std::uint32_t second);

// Four consecutive numbers of a stream, from one block.
std::array<double, 4> uniform(const Philox::Words &words);
std::array<double, 4> normal(const Philox::Words &words);

// Fills `rows` with a permutation of 0 … n-1: the Fisher–Yates shuffle (Durstenfeld, Algorithm 235, 1964), element i of the
// stream choosing the partner of row i.
void shuffle(const Stream &stream, std::span<std::int32_t> rows);

} // namespace ganglion
