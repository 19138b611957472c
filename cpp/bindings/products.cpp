// Matrix products for callers outside of networks.
#include "ganglion/blocked_product.hpp"
#include "ganglion/threads.hpp"
#include "handles.hpp"
#include "plain_arrays.hpp"

namespace ganglion::bindings {
namespace {

constexpr double flops_per_thread = 4e6; // some 40 µs: waking a thread costs a few, more where it sleeps

template <class T> struct Matrix {
    T *data;
    Index rows, columns, stride;
    const T *end() const { return data + (rows - 1) * stride + columns; }
    bool overlaps(const Matrix<const T> &other) const { return data < other.end() && other.data < end(); }
};

// A matrix of at least one element with contiguous rows one after the other.
template <class T> std::optional<Matrix<T>> matrix_in(const py::handle &object, char type) {
    const auto *array = plain_array(object);
    if (!array || array->nd != 2 || type_of(*array) != type || array->dimensions[0] == 0 || array->dimensions[1] == 0) return {};
    constexpr auto item = static_cast<Index>(sizeof(T));
    const Index rows = array->dimensions[0], columns = array->dimensions[1], step = array->strides[0];
    if ((columns > 1 && array->strides[1] != item) || (rows > 1 && (step < columns * item || step % item != 0))) return {};
    return Matrix<T>{reinterpret_cast<T *>(array->data), rows, columns, rows > 1 ? step / item : columns};
}

template <class T> py::object multiply(const Context &context, const py::object &a, const py::object &b, const py::object &out, char type) {
    const auto A = matrix_in<const T>(a, type), B = matrix_in<const T>(b, type);
    if (!A || !B || A->columns != B->rows) return py::none();
    py::object c = out.is_none() ? py::object(py::array_t<T>({A->rows, B->columns})) : out;
    const auto C = matrix_in<T>(c, type);
    if (!C || C->rows != A->rows || C->columns != B->columns || !py::reinterpret_borrow<py::array>(c).writeable()) return py::none();
    if (C->overlaps(*A) || C->overlaps(*B)) return py::none();
    const double flops = 2.0 * static_cast<double>(A->rows) * static_cast<double>(A->columns) * static_cast<double>(B->columns);
    const int team = context.threads > 0 ? context.threads : available_team(static_cast<int>(std::min(flops / flops_per_thread, 1e6)));
    const Product<T> product{A->rows, B->columns, A->columns, A->data, A->stride, 1, B->data, B->stride, C->data, C->stride, false};
    const auto multiply = [&] { multiply_blocked(kernels_of<T>(*context.kernel_set), product, team); };
    if (flops < 1e5) { // letting others run would take as long
        multiply();
    } else {
        const py::gil_scoped_release release;
        multiply();
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
               "a (M, K) · b (K, N), into `out` where it is not None; None where they are no matrices of one float type that can be "
               "read as they lie.");
}

} // namespace ganglion::bindings
