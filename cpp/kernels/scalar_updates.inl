// Optimizers of the scalar set: one parameter's update. g is the gradient with weight decay; with a decoupled one w has been
// shrunk before instead.

// constants: lr, weight decay
template <class T> void sgd(T &w, T g, T *, T *, const T *constants) { w = soft_fma(-constants[0], g, w); }

// constants: lr, weight decay, μ
template <class T> void momentum(T &w, T g, T *m, T *, const T *constants) {
    *m = flushed(soft_fma(constants[2], *m, g));
    w = soft_fma(-constants[0], *m, w);
}

// constants: lr, weight decay, μ
template <class T> void nesterov(T &w, T g, T *m, T *, const T *constants) {
    *m = flushed(soft_fma(constants[2], *m, g));
    w = soft_fma(-constants[0], soft_fma(constants[2], *m, g), w);
}

// constants: a = lr / (1 - β₁ᵗ), weight decay, β₁, 1 - β₁, β₂, 1 - β₂, c = 1 / √(1 - β₂ᵗ), ε
template <class T> void adam(T &w, T g, T *m, T *v, const T *constants) {
    *m = flushed(soft_fma(constants[2], *m, constants[3] * g));
    *v = flushed(soft_fma(constants[4], *v, (constants[5] * g) * g));
    w = w - (constants[0] * *m) / soft_fma(square_root(*v), constants[6], constants[7]);
}

// constants: lr, weight decay, ρ, 1 - ρ, ε
template <class T> void rmsprop(T &w, T g, T *v, T *, const T *constants) {
    *v = flushed(soft_fma(constants[2], *v, (constants[3] * g) * g));
    w = w - (constants[0] * g) / (square_root(*v) + constants[4]);
}

// constants: lr, weight decay, ρ, 1 - ρ, ε, μ
template <class T> void rmsprop_momentum(T &w, T g, T *m, T *v, const T *constants) {
    *v = flushed(soft_fma(constants[2], *v, (constants[3] * g) * g));
    *m = flushed(soft_fma(constants[5], *m, g / (square_root(*v) + constants[4])));
    w = soft_fma(-constants[0], *m, w);
}

// constants: lr, weight decay, ε
template <class T> void adagrad(T &w, T g, T *v, T *, const T *constants) {
    *v = flushed(soft_fma(g, g, *v));
    w = w - (constants[0] * g) / (square_root(*v) + constants[2]);
}

template <class T, int moments, void (*step)(T &, T, T *, T *, const T *), bool decoupled = false>
T update(const MatrixView<T> &w, const MatrixView<const T> &g, const Moments<T> &m, const T *constants) {
    T largest = 0;
    for (Index r = 0; r < w.rows; ++r)
        for (Index c = 0; c < w.columns; ++c) {
            T &weight = w.data[r * w.stride + c];
            const auto strip = m.strip(c / moment_columns * moment_columns);
            const Index at = strip.at + r * strip.stride + c % moment_columns;
            const T gradient = row_of(g, r)[c], decayed = decoupled ? gradient : soft_fma(constants[1], weight, gradient);
            if (decoupled) weight = soft_fma(-constants[1], weight, weight);
            step(weight, decayed, moments > 0 ? m.first + at : nullptr, moments > 1 ? m.second + at : nullptr, constants);
            largest = larger(largest, weight);
        }
    return largest;
}

template <class T>
constexpr OptimizerKernels<T> optimizers[] = {
    {"sgd", 0, update<T, 0, sgd>, true},
    {"momentum", 1, update<T, 1, momentum>, false},
    {"nesterov", 1, update<T, 1, nesterov>, false},
    {"adam", 2, update<T, 2, adam>, false},
    {"adamw", 2, update<T, 2, adam, true>, false}, // its constants[1] is lr · weight decay
    {"rmsprop", 1, update<T, 1, rmsprop>, false},
    {"rmsprop_momentum", 2, update<T, 2, rmsprop_momentum>, false},
    {"adagrad", 1, update<T, 1, adagrad>, false},
    {nullptr, 0, nullptr, false},
};

// Each gradient, then the update of its weight.
template <class T> void descend(const Product<T> &p) {
    T &largest = p.descent->largest.lanes[0];
    for (Index i = 0; i < p.M; ++i)
        for (Index j = 0; j < p.N; ++j) {
            T g;
            matmul<T>({1, 1, p.K, p.a + i * p.a_row, p.a_row, p.a_column, p.b + j, p.b_row, &g, 1, false});
            const MatrixView<T> weight{p.c + i * p.c_row + j, 1, 1, 1};
            largest = larger(largest, update<T, 0, sgd>(weight, {&g, 1, 1, 1}, {}, p.descent->constants));
        }
}

template <class T> void product_or_descent(const Product<T> &p) {
    if (p.descent) descend(p);
    else matmul(p);
}
