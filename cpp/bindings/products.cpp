// Matrix products for callers outside of networks.
#include "ganglion/blocked_product.hpp"
#include "ganglion/threads.hpp"
#include "handles.hpp"
#include "plain_arrays.hpp"

namespace ganglion::bindings {
namespace {

constexpr double flops_per_thread = 4e6; // some 40 µs: waking a thread costs a few, more where it sleeps

// Rows of consecutive elements (column is 1), or columns (row is 1).
template <class T> struct Matrix {
    T *data;
    Index rows, columns, row, column; // element [r, c] at data[r * row + c * column]
    const T *end() const { return data + (rows - 1) * row + (columns - 1) * column + 1; }
    bool overlaps(const Matrix<const T> &other) const { return data < other.end() && other.data < end(); }
    Matrix transposed() const { return {data, columns, rows, column, row}; }
};

// A matrix or a vector, which is a row or, `upright`, a column, of at least one element.
template <class T> std::optional<Matrix<T>> matrix_in(const py::handle &object, char type, bool upright) {
    const auto *array = plain_array(object);
    if (!array || array->nd < 1 || array->nd > 2 || type_of(*array) != type) return {};
    constexpr auto item = static_cast<Index>(sizeof(T));
    const bool matrix = array->nd == 2;
    const Index first = array->dimensions[0], last = array->dimensions[array->nd - 1];
    const Index rows = matrix || upright ? first : 1, columns = matrix || !upright ? last : 1;
    if (rows == 0 || columns == 0) return {};
    // One element has no stride; NumPy may report any.
    const Index column_bytes = columns > 1 ? array->strides[array->nd - 1] : item;
    const Index row_bytes = rows > 1 ? array->strides[0] : column_bytes == item ? columns * item : item;
    if (row_bytes % item != 0 || column_bytes % item != 0) return {};
    const Index row = row_bytes / item, column = column_bytes / item;
    if (!(column == 1 && row >= columns) && !(row == 1 && column >= rows)) return {};
    return Matrix<T>{reinterpret_cast<T *>(array->data), rows, columns, row, column};
}

bool is_vector(const py::object &object) { return py::detail::array_proxy(object.ptr())->nd == 1; }

template <class T> py::object multiply(const Context &context, const py::object &a, const py::object &b, const py::object &out, char type) {
    auto A = matrix_in<const T>(a, type, false), B = matrix_in<const T>(b, type, true);
    if (!A || !B || A->columns != B->rows || (is_vector(a) && is_vector(b))) return py::none();
    py::object c = out;
    if (out.is_none()) {
        if (is_vector(a)) c = py::array_t<T>(B->columns);
        else if (is_vector(b)) c = py::array_t<T>(A->rows);
        else c = py::array_t<T>({A->rows, B->columns});
    }
    auto C = matrix_in<T>(c, type, is_vector(b));
    if (!C || C->rows != A->rows || C->columns != B->columns || is_vector(c) != (is_vector(a) || is_vector(b))) return py::none();
    if (!py::reinterpret_borrow<py::array>(c).writeable() || C->overlaps(*A) || C->overlaps(*B)) return py::none();
    if (C->column != 1 || (C->columns == 1 && C->row == 1)) { // Cᵀ = Bᵀ · Aᵀ, by the same chains
        std::swap(A, B);
        for (auto *operand : {&A, &B}) *operand = (*operand)->transposed();
        C = C->transposed();
    }
    const double flops = 2.0 * static_cast<double>(A->rows) * static_cast<double>(A->columns) * static_cast<double>(B->columns);
    const int team = context.threads > 0 ? context.threads : available_team(static_cast<int>(std::min(flops / flops_per_thread, 1e6)));
    const bool by_columns = B->column != 1;
    const Product<T> product{A->rows, B->columns, A->columns, A->data, A->row, A->column, B->data, by_columns ? B->column : B->row,
                             C->data, C->row,     false};
    const auto run = [&] { multiply_blocked(kernels_of<T>(*context.kernel_set), product, by_columns, team); };
    if (flops < 1e5) { // letting others run would take as long
        run();
    } else {
        const py::gil_scoped_release release;
        run();
    }
    return c;
}

py::object try_matmul(const Context &context, const py::object &a, const py::object &b, const py::object &out) {
    const auto *array = plain_array(a);
    const char type = array ? type_of(*array) : '\0';
    if (type == 'f') return multiply<float>(context, a, b, out, type);
    if (type == 'd') return multiply<double>(context, a, b, out, type);
    return py::none();
}

} // namespace

void bind_products(py::module_ &module) {
    module.def("try_matmul", &try_matmul, py::arg("context"), py::arg("a"), py::arg("b"), py::arg("out"),
               "a (M, K) · b (K, N), one of them perhaps a vector (K,), into `out` where it is not None; None where they are not of one "
               "float type or can not be read as they lie.");
}

} // namespace ganglion::bindings
