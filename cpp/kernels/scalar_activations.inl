// Functions and activations of the scalar set: the elementwise formulas of the type lists, and softmax.

template <class Row, class T> void function_apply(const T *x, T *y, Index n) {
    for (Index i = 0; i < n; ++i) y[i] = value(Row::apply(Vec<T>{x[i]}));
}

template <class Row, class T> void activation_apply(const T *x, T *y, Index n, T alpha) {
    for (Index i = 0; i < n; ++i) y[i] = value(Row::forward(Vec<T>{x[i]}, Vec<T>{alpha}));
}

template <class T> void softmax_apply(const T *x, T *y, Index n, T) {
    if (n == 0) return;
    const SoftmaxRow<T> softmax(x, n);
    for (Index i = 0; i < n; ++i) y[i] = softmax.probability(i);
}

// z ← z + bias, h = f(z) flushed, where `apply` is f on a row.
template <class T, void (*apply)(const T *, T *, Index, T)>
T activation_forward(const MatrixView<T> &z, const T *bias, const MatrixView<T> &h, T alpha) {
    T largest = 0;
    for (Index r = 0; r < z.rows; ++r) {
        T *zr = row_of(z, r), *hr = row_of(h, r);
        for (Index c = 0; c < z.columns && bias; ++c) zr[c] = zr[c] + bias[c];
        apply(zr, hr, z.columns, alpha);
        for (Index c = 0; c < h.columns; ++c) {
            hr[c] = flushed(hr[c]);
            largest = larger(largest, hr[c]);
        }
    }
    return largest;
}

template <class Row, class T> T activation_backward(const MatrixView<T> &d, const MatrixView<const T> &saved, T alpha) {
    T largest = 0;
    for (Index r = 0; r < d.rows; ++r)
        for (Index c = 0; c < d.columns; ++c) {
            T &element = row_of(d, r)[c];
            element = flushed(value(Row::backward(Vec<T>{element}, Vec<T>{row_of(saved, r)[c]}, Vec<T>{alpha})));
            largest = larger(largest, element);
        }
    return largest;
}

// q = Σ_j d_j h_j; d_j ← h_j (d_j - q)
template <class T> T softmax_backward(const MatrixView<T> &d, const MatrixView<const T> &h, T) {
    T largest = 0;
    for (Index r = 0; r < d.rows; ++r) {
        T *dr = row_of(d, r);
        const T *hr = row_of(h, r);
        const T q = row_sum<T>(d.columns, [=](T lane, Index j) { return soft_fma(dr[j], hr[j], lane); });
        for (Index j = 0; j < d.columns; ++j) {
            dr[j] = flushed(hr[j] * (dr[j] - q));
            largest = larger(largest, dr[j]);
        }
    }
    return largest;
}

template <class Row, class T> constexpr auto backward_of() -> T (*)(const MatrixView<T> &, const MatrixView<const T> &, T) {
    if constexpr (Row::needs == Needs::nothing) return nullptr;
    else return activation_backward<Row, T>;
}

template <class T, class List> struct FunctionTable;
template <class T, class... Row> struct FunctionTable<T, Rows<Row...>> {
    static constexpr FunctionKernels<T> rows[] = {{Row::name, function_apply<Row, T>}..., {nullptr, nullptr}};
};

template <class T, class List> struct ActivationTable;
template <class T, class... Row> struct ActivationTable<T, Rows<Row...>> {
    static constexpr ActivationKernels<T> rows[] = {
        {Row::name, Row::needs, false, activation_apply<Row, T>, activation_forward<T, activation_apply<Row, T>>, backward_of<Row, T>()}...,
        {"softmax", Needs::output, true, softmax_apply<T>, activation_forward<T, softmax_apply<T>>, softmax_backward<T>},
        {nullptr, Needs::output, false, nullptr, nullptr, nullptr}};
};
