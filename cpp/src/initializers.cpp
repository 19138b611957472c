#include "ganglion/initializers.hpp"
#include "ganglion/table.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

namespace ganglion {
namespace {

// glorot: Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, eq. 16.
// he: He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015, eq. 10. Normals are not truncated.
constexpr Initializer table[] = {
    {"zeros", Distribution::zeros, [](double, double) { return 0.0; }},
    {"glorot_uniform", Distribution::uniform, [](double I, double O) { return std::sqrt(6 / (I + O)); }},
    {"glorot_normal", Distribution::normal, [](double I, double O) { return std::sqrt(2 / (I + O)); }},
    {"he_uniform", Distribution::uniform, [](double I, double) { return std::sqrt(6 / I); }},
    {"he_normal", Distribution::normal, [](double I, double) { return std::sqrt(2 / I); }},
};

std::array<double, 4> sample(Distribution distribution, const Philox::Words &words) {
    if (distribution == Distribution::normal) return normal(words);
    std::array<double, 4> values = uniform(words);
    for (double &value : values) value = 2 * value - 1;
    return values;
}

} // namespace

std::span<const Initializer> initializers() { return table; }

const Initializer &find_initializer(std::string_view name) { return find_row(initializers(), name, "initializer"); }

template <class T>
void initialize(const Initializer &initializer, MatrixView<T> w, Index fan_in, Index fan_out, std::uint64_t seed, std::uint32_t index) {
    const Stream stream{.seed = seed, .kind = StreamKind::initial_weights, .index = index};
    const double scale = initializer.scale(static_cast<double>(fan_in), static_cast<double>(fan_out));
    std::array<double, 4> values{};
    std::size_t element = 0;
    for (Index r = 0; r < w.rows; ++r) {
        for (Index c = 0; c < w.columns; ++c, ++element) {
            if (element % 4 == 0 && initializer.distribution != Distribution::zeros) {
                values = sample(initializer.distribution, stream.block(static_cast<std::uint32_t>(element / 4)));
            }
            w.data[r * w.stride + c] = static_cast<T>(values[element % 4] * scale);
        }
    }
}

template void initialize(const Initializer &, MatrixView<float>, Index, Index, std::uint64_t, std::uint32_t);
template void initialize(const Initializer &, MatrixView<double>, Index, Index, std::uint64_t, std::uint32_t);

} // namespace ganglion
