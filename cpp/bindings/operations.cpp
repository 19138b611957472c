// The submodule `operations`: each kernel of each set by itself, and the random numbers, for the tests.
#include "operations.hpp"
#include "ganglion/dispatch.hpp"
#include "ganglion/initializers.hpp"
#include "ganglion/matmul.hpp"
#include "ganglion/optimizer.hpp"
#include "ganglion/orthogonal.hpp"
#include "panel.hpp"
#include <optional>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace py::literals;

namespace ganglion {
namespace {

using Names = const std::string &;
using OptionalArray = const std::optional<py::array> &;

template <class T> const Kernels<T> &kernels(Names set) { return kernels_of<T>(find_kernel_set(set)); }

py::dict tables(Names set) {
    const Kernels<float> &k = kernels<float>(set);
    py::list functions, activations, losses, optimizers;
    for (const auto *row = k.functions; row->name; ++row) functions.append(row->name);
    for (const auto *row = k.activations; row->name; ++row)
        activations.append(py::make_tuple(row->name,
                                          row->needs == Needs::input    ? "input"
                                          : row->needs == Needs::output ? "output"
                                                                        : "nothing",
                                          row->whole_rows));
    for (const auto *row = k.losses; row->name; ++row)
        losses.append(py::make_tuple(row->name, row->target == TargetKind::labels ? "labels" : "values", row->per_element));
    for (const auto *row = k.optimizers; row->name; ++row) optimizers.append(py::make_tuple(row->name, row->moments));
    return py::dict("functions"_a = functions, "activations"_a = activations, "losses"_a = losses, "optimizers"_a = optimizers);
}

// The caller's array, or a new one.
template <class T> py::array result(OptionalArray out, Index rows, Index columns) {
    py::array c = out ? *out : py::array(py::array_t<T>({rows, columns}));
    require(c.ndim() == 2 && c.shape(0) == rows && c.shape(1) == columns,
            "out must have shape (" + std::to_string(rows) + ", " + std::to_string(columns) + ")");
    return c;
}

template <class T> py::array transposed(Names set, const py::array &x, OptionalArray out) {
    const auto in = rows_of<const T>("x", x);
    const py::array c = result<T>(out, in.columns, in.rows);
    const auto to = rows_of<T>("out", c);
    kernels<T>(set).transpose(in, to.data, to.stride);
    return c;
}

py::array transpose(Names set, const py::array &x, OptionalArray out) {
    return with_float("x", x, [&](auto zero) { return transposed<decltype(zero)>(set, x, out); });
}

// The product or, with `look`, also a's largest magnitude and whether it was found beside the arithmetic.
py::object matmul(Names set, const py::array &a, const py::array &b, bool transpose_a, bool transpose_b, OptionalArray out, bool accumulate,
                  bool sparse, bool look) {
    return with_float("a", a, [&](auto zero) -> py::object {
        using T = decltype(zero);
        const py::array right = transpose_b ? transposed<T>(set, b, std::nullopt) : b;
        auto A = strided<const T>("a", a);
        const auto B = rows_of<const T>("b", right);
        if (transpose_a) A = {A.data, A.columns, A.rows, A.column_stride, A.row_stride};
        require(A.columns == B.rows, "a has " + std::to_string(A.columns) + " columns and b has " + std::to_string(B.rows) + " rows");
        require(out.has_value() || !accumulate, "accumulate needs out");
        const py::array c = result<T>(out, A.rows, B.columns);
        const auto C = rows_of<T>("out", c);
        require(!(sparse || look) || A.column_stride == 1 || A.columns <= 1, "sparse and look need contiguous rows of a");
        Seen<T> seen;
        Product<T> product{A.rows, B.columns, A.columns, A.data,   A.row_stride, A.column_stride,
                           B.data, B.stride,  C.data,    C.stride, accumulate};
        if (look) product.seen = &seen;
        (sparse ? kernels<T>(set).sparse_matmul : kernels<T>(set).matmul)(product);
        return look ? py::object(py::make_tuple(c, largest_of(kernels<T>(set), product), seen.all)) : py::object(c);
    });
}

py::array column_sums(Names set, const py::array &d, Index misalign) {
    return with_float("d", d, [&](auto zero) -> py::array {
        using T = decltype(zero);
        const Panel<T> in("d", d, misalign);
        const Panel<T> sums(1, in.view().columns, misalign);
        kernels<T>(set).column_sums(in.read(), sums.data());
        return sums.flat_array();
    });
}

py::array add(Names set, const py::array &a, const py::array &b, Index misalign) {
    return with_float("a", a, [&](auto zero) -> py::array {
        using T = decltype(zero);
        require(a.size() == b.size(), "a and b differ in size");
        const auto sum = Panel<T>::block("a", a, misalign), addend = Panel<T>::block("b", b, misalign);
        kernels<T>(set).add(sum.data(), addend.data(), a.size());
        return sum.flat_array();
    });
}

py::int_ nonzeros(Names set, const py::array &x, Index misalign) {
    return with_float("x", x, [&](auto zero) -> py::int_ {
        using T = decltype(zero);
        return kernels<T>(set).nonzeros(Panel<T>("x", x, misalign).read());
    });
}

py::object largest(Names set, const py::array &x, Index misalign) {
    return with_float("x", x, [&](auto zero) -> py::object {
        using T = decltype(zero);
        return py::float_(static_cast<double>(kernels<T>(set).largest(Panel<T>("x", x, misalign).read())));
    });
}

py::array argmax(Names set, const py::array &x, Index misalign) {
    return with_float("x", x, [&](auto zero) -> py::array {
        using T = decltype(zero);
        const Panel<T> in("x", x, misalign);
        require(in.view().columns > 0, "x has no columns");
        py::array_t<std::int32_t> columns(in.view().rows);
        kernels<T>(set).argmax(in.read(), columns.mutable_data());
        return columns;
    });
}

// Rows `rows[r]`, or first + r, of n: null or a checked array.
const std::int32_t *checked_rows(OptionalArray rows, Index first, Index count, Index n) {
    if (!rows) {
        require(first >= 0 && count >= 0 && count <= n - first, "rows first … first + count are not all in x");
        return nullptr;
    }
    const auto all = rows_of<const std::int32_t>("rows", *rows);
    require(all.rows == 1 && all.columns == count, "rows must have shape (" + std::to_string(count) + ",)");
    for (Index r = 0; r < count; ++r) require(all.data[r] >= 0 && all.data[r] < n, "rows must lie in 0 … " + std::to_string(n - 1));
    return all.data;
}

template <class T, class Source>
py::tuple gather_rows(Gather<T, Source> kernel, const py::array &x, OptionalArray rows, Index first, Index count,
                      std::optional<double> scale, double offset, Index misalign) {
    const auto from = rows_of<const Source>("x", x);
    const std::int32_t *chosen = checked_rows(rows, first, count, from.rows);
    const Panel<T> out(count, from.columns, misalign);
    const T largest = kernel(from, chosen, first, out.view(), scale.has_value(), static_cast<T>(scale.value_or(1)), static_cast<T>(offset));
    return py::make_tuple(out.padded_array(), largest);
}

py::tuple gather(Names set, const py::array &x, OptionalArray rows, Index first, std::optional<Index> count, std::optional<double> scale,
                 double offset, Names dtype, Index misalign) {
    const auto to = [&](auto zero) {
        using T = decltype(zero);
        const Kernels<T> &k = kernels<T>(set);
        const Index n = count ? *count : rows ? rows->size() : x.shape(0);
        if (holds<float>(x)) return gather_rows<T>(k.gather_float32, x, rows, first, n, scale, offset, misalign);
        if (holds<double>(x)) return gather_rows<T>(k.gather_float64, x, rows, first, n, scale, offset, misalign);
        if (holds<std::uint8_t>(x)) return gather_rows<T>(k.gather_uint8, x, rows, first, n, scale, offset, misalign);
        throw_dtype("x", x, "float32, float64 or uint8");
    };
    require(dtype == "float32" || dtype == "float64", "dtype must be 'float32' or 'float64'");
    return dtype == "float32" ? to(0.0F) : to(0.0);
}

// f(T{}, kernel row, x, y, n): y is new and x is read where it lies.
template <class F> py::array elementwise(const py::array &x, F f) {
    return with_float("x", x, [&](auto zero) -> py::array {
        using T = decltype(zero);
        const auto in = rows_of<const T>("x", x);
        require(in.rows == 1, "x must have one dimension");
        const auto y = Panel<T>::block(1, in.columns, 0);
        f(zero, in.data, y.data(), in.columns);
        return y.flat_array();
    });
}

py::array function(Names set, Names name, const py::array &x) {
    return elementwise(x, [&](auto zero, const auto *in, auto *y, Index n) {
        const auto *table = kernels<decltype(zero)>(set).functions;
        find_row(rows_of(table), name, "function").apply(in, y, n);
    });
}

template <class T> const ActivationKernels<T> &find_activation(Names set, Names name) {
    const auto *table = kernels<T>(set).activations;
    return find_row(rows_of(table), name, "activation");
}

py::array activation_apply(Names set, Names name, const py::array &x, double alpha) {
    return elementwise(x, [&](auto zero, const auto *in, auto *y, Index n) {
        using T = decltype(zero);
        find_activation<T>(set, name).apply(in, y, n, static_cast<T>(alpha));
    });
}

py::tuple activation_forward(Names set, Names name, const py::array &z, OptionalArray bias, double alpha, bool in_place, Index misalign) {
    return with_float("z", z, [&](auto zero) -> py::tuple {
        using T = decltype(zero);
        const auto &activation = find_activation<T>(set, name);
        require(!in_place || activation.needs != Needs::input, "'" + name + "' needs its input: z is kept");
        const Panel<T> in("z", z, misalign);
        const Panel<T> out(in.view().rows, in.view().columns, misalign);
        const Panel<T> b = bias ? Panel<T>("bias", *bias, misalign) : Panel<T>(1, 0, 0);
        require(!bias || b.view().columns == in.view().columns, "bias needs one element per column of z");
        const Panel<T> &h = in_place ? in : out;
        const T largest = activation.forward(in.view(), bias ? b.data() : nullptr, h.view(), static_cast<T>(alpha));
        const py::object sum = activation.needs == Needs::input ? py::object(in.array()) : py::none(); // else z is scratch
        return py::make_tuple(h.array(), sum, largest);
    });
}

py::tuple activation_backward(Names set, Names name, const py::array &d, const py::array &saved, double alpha, Index misalign) {
    return with_float("d", d, [&](auto zero) -> py::tuple {
        using T = decltype(zero);
        const Panel<T> gradient("d", d, misalign), from("saved", saved, misalign);
        require(gradient.view().rows == from.view().rows && gradient.view().columns == from.view().columns, "d and saved differ in shape");
        require(find_activation<T>(set, name).backward, "'" + name + "' has no derivative");
        const T largest = find_activation<T>(set, name).backward(gradient.view(), from.read(), static_cast<T>(alpha));
        return py::make_tuple(gradient.padded_array(), largest);
    });
}

template <class T> const LossKernels<T> &find_loss(Names set, Names name, TargetKind target) {
    const auto *row = kernels<T>(set).losses;
    while (row->name && (row->name != name || row->target != target)) ++row;
    require(row->name, "no loss '" + name + "' with such targets");
    return *row;
}

py::tuple loss_gradient(Names set, Names name, const py::array &z, OptionalArray labels, OptionalArray values, OptionalArray rows,
                        Index first, double scale, double parameter, OptionalArray weights, bool in_place, Index misalign) {
    return with_float("z", z, [&](auto zero) -> py::tuple {
        using T = decltype(zero);
        require(labels.has_value() != values.has_value(), "give labels or values");
        const auto &loss = find_loss<T>(set, name, labels ? TargetKind::labels : TargetKind::values);
        const Panel<T> logits("z", z, misalign);
        const auto [data, B, O, stride] = logits.view();
        const auto l = labels ? rows_of<const std::int32_t>("labels", *labels) : MatrixView<const std::int32_t>{};
        const auto v = values ? rows_of<const T>("values", *values) : MatrixView<const T>{};
        for (Index r = 0; r < l.columns; ++r) require(l.data[r] >= 0 && l.data[r] < O, "labels must lie in 0 … " + std::to_string(O - 1));
        require(!values || v.columns == O, "values needs as many columns as z");
        require(O > 0, "z has no columns");
        const Index n = labels ? l.columns : v.rows;
        const std::int32_t *chosen = checked_rows(rows, first, B, n);
        const auto w = weights ? rows_of<const T>("weights", *weights) : MatrixView<const T>{};
        require(!weights || w.columns == n, "weights needs one element per target");
        const Panel<T> other(B, O, misalign);
        const Panel<T> &d = in_place ? logits : other;
        const auto losses = Panel<T>::block(1, B, misalign);
        T largest_loss;
        const T largest = loss.gradient(logits.read(), {l.data, v.data, v.stride, chosen, first, w.data}, d.view(), static_cast<T>(scale),
                                        static_cast<T>(parameter), losses.data(), &largest_loss);
        return py::make_tuple(losses.flat_array(), d.padded_array(), largest, largest_loss);
    });
}

// The elements of a block, and where their moments lie: said once more here, so that a kernel with another idea of it is found out.
template <class T, class Visit> void visit_moments(MatrixView<T> x, const Moments<T> &m, Visit visit) {
    for (Index r = 0; r < x.rows; ++r)
        for (Index c = 0; c < x.columns; ++c) {
            const Index strip = (m.column + c) / 32 * 32, width = std::min<Index>(32, m.columns - strip);
            visit(x.data[r * x.stride + c], strip * m.rows + (m.row + r) * width + (m.column + c) % 32);
        }
}

// `inside`: rows and columns of the parameter that lie above, left of, below and right of the block.
py::tuple update(Names set, Names name, const py::array &w, const py::array &g, OptionalArray m, OptionalArray v,
                 const std::vector<double> &constants, Index misalign, const std::array<Index, 4> &inside) {
    return with_float("w", w, [&](auto zero) -> py::tuple {
        using T = decltype(zero);
        const auto *table = kernels<T>(set).optimizers;
        const auto &optimizer = find_row(rows_of(table), name, "optimizer");
        require(m.has_value() == (optimizer.moments > 0) && v.has_value() == (optimizer.moments > 1),
                "'" + name + "' has " + std::to_string(optimizer.moments) + " moments");
        std::array<T, 8> c{};
        require(constants.size() <= c.size(), "more than 8 constants");
        std::transform(constants.begin(), constants.end(), c.begin(), [](double constant) { return static_cast<T>(constant); });
        const auto block = [&](const char *what, const py::array &x) {
            require(x.ndim() == w.ndim() && std::equal(x.shape(), x.shape() + x.ndim(), w.shape()),
                    std::string(what) + " and w differ in shape");
            return Panel<T>::block(what, x, misalign);
        };
        const Panel<T> weights = block("w", w), gradient = block("g", g), first = block("m", m.value_or(g)),
                       second = block("v", v.value_or(g));
        const MatrixView<T> view = weights.view();
        const auto &[above, left, below, right] = inside;
        require(left % moment_columns == 0, "a block begins at a multiple of " + std::to_string(moment_columns) + " columns");
        const Index rows = above + view.rows + below, columns = round_up(left + view.columns + right, padding);
        const auto lines = Panel<T>::block(2, rows * columns, misalign);
        const Moments<T> moments{lines.view().data, lines.view().data + lines.view().stride, rows, columns, above, left};
        const T untouched = lines.data()[0];
        visit_moments(first.view(), moments, [&](T &value, Index at) { moments.first[at] = value; });
        visit_moments(second.view(), moments, [&](T &value, Index at) { moments.second[at] = value; });
        const T largest = optimizer.update(view, gradient.read(), moments, c.data());
        visit_moments(first.view(), moments, [&](T &value, Index at) { value = std::exchange(moments.first[at], untouched); });
        visit_moments(second.view(), moments, [&](T &value, Index at) { value = std::exchange(moments.second[at], untouched); });
        for (const T *of : {moments.first, moments.second})
            require(std::count(of, of + rows * columns, untouched) == rows * columns, "moments beside the block were written");
        const auto values = [&](const Panel<T> &x) -> py::object { return w.ndim() == 1 ? x.flat_array() : x.array(); };
        return py::make_tuple(values(weights), m ? values(first) : py::none(), v ? values(second) : py::none(), largest);
    });
}

// The constants of an update, and the largest gradient, moment and change that it can reach, from the bounds of what is there.
py::tuple optimizer_rule(const OptimizerDescription &optimizer, double rate, std::uint64_t step, double gradient, double weight,
                         double moment) {
    const OptimizerRule &rule = find_optimizer(optimizer.name);
    Cursor cursor;
    for (; cursor.step < step; ++cursor.step) advance(optimizer, cursor);
    const Constants constants = rule.constants(optimizer, rate, cursor);
    const Reach reach = rule.reach(optimizer, constants, {gradient, weight, moment});
    return py::make_tuple(std::vector<double>(constants.begin(), constants.end()),
                          py::make_tuple(reach.gradient, reach.moment, reach.update));
}

py::array_t<double> random_numbers(Index count, Stream stream, std::array<double, 4> (*numbers)(const Philox::Words &)) {
    py::array_t<double> x(count);
    std::array<double, 4> four{};
    for (Index i = 0; i < count; ++i) {
        if (i % 4 == 0) four = numbers(stream.block(static_cast<std::uint32_t>(i / 4)));
        x.mutable_at(i) = four[static_cast<std::size_t>(i % 4)];
    }
    return x;
}

py::array initialize_matrix(const InitializerDescription &initializer, Index rows, Index columns, Index fan_in, Index fan_out,
                            std::uint64_t seed, std::uint32_t index, Names dtype) {
    require(dtype == "float32" || dtype == "float64", "dtype must be 'float32' or 'float64'");
    const auto fill = [&](auto zero) -> py::array {
        const auto w = Panel<decltype(zero)>::block(rows, columns, 0);
        initialize(initializer, w.view(), fan_in, fan_out, seed, index);
        return w.array();
    };
    return dtype == "float32" ? fill(0.0F) : fill(0.0);
}

py::array_t<double> orthonormal(const py::array_t<double, py::array::c_style | py::array::forcecast> &vectors) {
    require(vectors.ndim() == 2 && vectors.shape(0) <= vectors.shape(1), "vectors must be a matrix with no more rows than columns");
    std::vector<double> copies(vectors.data(), vectors.data() + vectors.size());
    orthonormalize(copies, vectors.shape(1));
    py::array_t<double> result({vectors.shape(0), vectors.shape(1)});
    std::copy(copies.begin(), copies.end(), result.mutable_data());
    return result;
}

void bind_random_numbers(py::module_ &m) {
    m.def("orthonormal", &orthonormal, "vectors"_a);
    const auto numbers = [&](const char *name, std::array<double, 4> (*kind_of)(const Philox::Words &)) {
        m.def(
            name,
            [kind_of](Index count, std::uint64_t seed, std::uint32_t kind, std::uint32_t index, std::uint32_t epoch, std::uint32_t step) {
                return random_numbers(count, {seed, static_cast<StreamKind>(kind), index, epoch, step}, kind_of);
            },
            "count"_a, py::kw_only(), "seed"_a, "kind"_a, "index"_a = 0, "epoch"_a = 0, "step"_a = 0);
    };
    m.def("philox", &Philox::block, "counter"_a, "key"_a);
    numbers("uniform", &uniform);
    numbers("normal", &normal);
    m.def(
        "shuffle",
        [](Index count, std::uint64_t seed, std::uint32_t epoch) {
            py::array_t<std::int32_t> rows(count);
            shuffle({.seed = seed, .kind = StreamKind::shuffle, .epoch = epoch}, {rows.mutable_data(), static_cast<std::size_t>(count)});
            return rows;
        },
        "count"_a, py::kw_only(), "seed"_a, "epoch"_a = 0);
    m.def("initialize", &initialize_matrix, "initializer"_a, "rows"_a, "columns"_a, py::kw_only(), "fan_in"_a, "fan_out"_a, "seed"_a,
          "index"_a = 0, "dtype"_a = "float32");
}

} // namespace

void bind_operations(py::module_ &parent) {
    py::module_ m = parent.def_submodule("operations", "Each kernel of each kernel set by itself, for tests.");
    const py::arg_v misalign = py::arg("misalign") = 0, alpha = py::arg("alpha") = 0.0, no_out = py::arg("out") = py::none();
    m.def("tables", &tables, "set"_a);
    m.def("matmul", &matmul, "set"_a, "a"_a, "b"_a, "transpose_a"_a = false, "transpose_b"_a = false, no_out, "accumulate"_a = false,
          "sparse"_a = false, "look"_a = false);
    m.def("transpose", &transpose, "set"_a, "x"_a, no_out);
    m.def("column_sums", &column_sums, "set"_a, "d"_a, misalign);
    m.def("add", &add, "set"_a, "a"_a, "b"_a, misalign);
    m.def("nonzeros", &nonzeros, "set"_a, "x"_a, misalign);
    m.def("largest", &largest, "set"_a, "x"_a, misalign);
    m.def("argmax", &argmax, "set"_a, "x"_a, misalign);
    m.def("gather", &gather, "set"_a, "x"_a, "rows"_a = py::none(), "first"_a = 0, "count"_a = py::none(), "scale"_a = py::none(),
          "offset"_a = 0.0, "dtype"_a = "float32", misalign);
    m.def("function", &function, "set"_a, "name"_a, "x"_a);
    m.def("activation_apply", &activation_apply, "set"_a, "name"_a, "x"_a, alpha);
    m.def("activation_forward", &activation_forward, "set"_a, "name"_a, "z"_a, "bias"_a = py::none(), alpha, "in_place"_a = false,
          misalign);
    m.def("activation_backward", &activation_backward, "set"_a, "name"_a, "d"_a, "saved"_a, alpha, misalign);
    m.def("loss_gradient", &loss_gradient, "set"_a, "name"_a, "z"_a, py::kw_only(), "labels"_a = py::none(), "values"_a = py::none(),
          "rows"_a = py::none(), "first"_a = 0, "scale"_a = 1.0, "parameter"_a = 0.0, "weights"_a = py::none(), "in_place"_a = false,
          misalign);
    m.def("optimizer_rule", &optimizer_rule, "optimizer"_a, "rate"_a, "step"_a, "gradient"_a, "weight"_a, "moment"_a);
    m.def("update", &update, "set"_a, "name"_a, "w"_a, "g"_a, "m"_a, "v"_a, "constants"_a, misalign, "inside"_a = std::array<Index, 4>{});
    bind_gradient_operations(m);
    bind_random_numbers(m);
}

} // namespace ganglion
