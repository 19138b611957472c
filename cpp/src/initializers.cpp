#include "ganglion/initializers.hpp"
#include "ganglion/orthogonal.hpp"
#include "ganglion/table.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

namespace ganglion {
namespace {

using Description = InitializerDescription;

double nowhere(const Description &) { return 0; }
double first(const Description &description) { return description.first; }
double second(const Description &description) { return description.second; }

// glorot: Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, eq. 16.
// he: He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015, eq. 10. lecun: LeCun, Bottou, Orr, Müller, "Efficient
// BackProp", 1998, eq. 16. orthogonal: Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in
// deep linear neural networks", 2014. Normals are not truncated.
constexpr Initializer table[] = {
    {"zeros", Distribution::constant, [](const Description &, double, double) { return 0.0; }, nowhere},
    {"ones", Distribution::constant, [](const Description &, double, double) { return 1.0; }, nowhere},
    {"constant", Distribution::constant, [](const Description &d, double, double) { return d.first; }, nowhere},
    {"normal", Distribution::normal, [](const Description &d, double, double) { return d.first; }, second},
    {"uniform", Distribution::uniform, [](const Description &d, double, double) { return d.second - d.first; }, first},
    {"glorot_uniform", Distribution::symmetric, [](const Description &, double I, double O) { return std::sqrt(6 / (I + O)); }, nowhere},
    {"glorot_normal", Distribution::normal, [](const Description &, double I, double O) { return std::sqrt(2 / (I + O)); }, nowhere},
    {"he_uniform", Distribution::symmetric, [](const Description &, double I, double) { return std::sqrt(6 / I); }, nowhere},
    {"he_normal", Distribution::normal, [](const Description &, double I, double) { return std::sqrt(2 / I); }, nowhere},
    {"lecun_uniform", Distribution::symmetric, [](const Description &, double I, double) { return std::sqrt(3 / I); }, nowhere},
    {"lecun_normal", Distribution::normal, [](const Description &, double I, double) { return std::sqrt(1 / I); }, nowhere},
    {"fan_in_uniform", Distribution::symmetric, [](const Description &, double I, double) { return 1 / std::sqrt(I); }, nowhere},
    {"orthogonal", Distribution::orthogonal, [](const Description &d, double, double) { return d.first; }, nowhere},
};

// Four consecutive numbers of a stream before they are scaled.
std::array<double, 4> sample(Distribution distribution, const Stream &stream, std::uint32_t block) {
    if (distribution == Distribution::constant) return {1, 1, 1, 1};
    const Philox::Words words = stream.block(block);
    if (distribution == Distribution::normal || distribution == Distribution::orthogonal) return normal(words);
    std::array<double, 4> values = uniform(words);
    if (distribution == Distribution::symmetric)
        for (double &value : values) value = 2 * value - 1;
    return values;
}

// write(element, value) for the first `count` numbers of the stream.
template <class Write> void draw(Distribution distribution, const Stream &stream, Index count, Write write) {
    std::array<double, 4> values{};
    for (Index element = 0; element < count; ++element) {
        if (element % 4 == 0) values = sample(distribution, stream, static_cast<std::uint32_t>(element / 4));
        write(element, values[static_cast<std::size_t>(element % 4)]);
    }
}

} // namespace

std::span<const Initializer> initializers() { return table; }

const Initializer &find_initializer(std::string_view name) { return find_row(initializers(), name, "initializer"); }

template <class T>
void initialize(const InitializerDescription &description, MatrixView<T> w, Index fan_in, Index fan_out, std::uint64_t seed,
                std::uint32_t index) {
    const Initializer &row = find_initializer(description.name);
    const Stream stream{.seed = seed, .kind = StreamKind::initial_weights, .index = index};
    const double scale = row.scale(description, static_cast<double>(fan_in), static_cast<double>(fan_out)),
                 location = row.location(description);
    const auto at = [&](Index r, Index c) -> T & { return w.data[r * w.stride + c]; };
    if (row.distribution == Distribution::orthogonal) {
        // The smaller side's vectors are orthonormal: columns of a tall matrix, rows of a wide one.
        const bool wide = w.rows < w.columns;
        const Index count = wide ? w.rows : w.columns, size = wide ? w.columns : w.rows;
        std::vector<double> vectors(static_cast<std::size_t>(count * size));
        draw(row.distribution, stream, count * size,
             [&](Index element, double value) { vectors[static_cast<std::size_t>(element % count * size + element / count)] = value; });
        orthonormalize(vectors, size);
        for (Index v = 0; v < count; ++v)
            for (Index i = 0; i < size; ++i)
                (wide ? at(v, i) : at(i, v)) = static_cast<T>(scale * vectors[static_cast<std::size_t>(v * size + i)]);
        return;
    }
    draw(row.distribution, stream, w.rows * w.columns, [&](Index element, double value) {
        value *= scale;
        if (location != 0) value += location; // which would make +0 of a -0
        at(element / w.columns, element % w.columns) = static_cast<T>(value);
    });
}

template void initialize(const InitializerDescription &, MatrixView<float>, Index, Index, std::uint64_t, std::uint32_t);
template void initialize(const InitializerDescription &, MatrixView<double>, Index, Index, std::uint64_t, std::uint32_t);

} // namespace ganglion
