// Optimizer updates: one struct a row of the table. `step` takes vectors of weight, gradient and moments, changes weight
// and moments in place and reads its constants in the order given here.

// constants: learning rate, weight decay
struct Sgd {
    static constexpr const char *name = "sgd";
    static constexpr int moments = 0;
    template <class V, class T> [[gnu::always_inline]] static void step(V &w, V g, V &, V &, const T *c) {
        g = fma(V::broadcast(c[1]), w, g);
        w = fma(V::broadcast(-c[0]), g, w);
    }
};

// constants: learning rate, weight decay, μ
struct Momentum {
    static constexpr const char *name = "momentum";
    static constexpr int moments = 1;
    template <class V, class T> [[gnu::always_inline]] static void step(V &w, V g, V &m, V &, const T *c) {
        g = fma(V::broadcast(c[1]), w, g);
        m = flushed(fma(V::broadcast(c[2]), m, g));
        w = fma(V::broadcast(-c[0]), m, w);
    }
};

// constants: learning rate, weight decay, μ
struct Nesterov {
    static constexpr const char *name = "nesterov";
    static constexpr int moments = 1;
    template <class V, class T> [[gnu::always_inline]] static void step(V &w, V g, V &m, V &, const T *c) {
        g = fma(V::broadcast(c[1]), w, g);
        m = flushed(fma(V::broadcast(c[2]), m, g));
        w = fma(V::broadcast(-c[0]), fma(V::broadcast(c[2]), m, g), w);
    }
};

// constants: lr / (1 - β₁ᵗ), weight decay, β₁, 1 - β₁, β₂, 1 - β₂, 1 / √(1 - β₂ᵗ), ε
struct Adam {
    static constexpr const char *name = "adam";
    static constexpr int moments = 2;
    template <class V, class T> [[gnu::always_inline]] static void step(V &w, V g, V &m, V &v, const T *c) {
        g = fma(V::broadcast(c[1]), w, g);
        m = flushed(fma(V::broadcast(c[2]), m, V::broadcast(c[3]) * g));
        v = flushed(fma(V::broadcast(c[4]), v, V::broadcast(c[5]) * g * g));
        w = w - V::broadcast(c[0]) * m / fma(sqrt(v), V::broadcast(c[6]), V::broadcast(c[7]));
    }
};

// constants: lr / (1 - β₁ᵗ), lr · weight decay, β₁, 1 - β₁, β₂, 1 - β₂, 1 / √(1 - β₂ᵗ), ε
struct AdamW {
    static constexpr const char *name = "adamw";
    static constexpr int moments = 2;
    template <class V, class T> [[gnu::always_inline]] static void step(V &w, V g, V &m, V &v, const T *c) {
        w = fma(V::broadcast(-c[1]), w, w);
        m = flushed(fma(V::broadcast(c[2]), m, V::broadcast(c[3]) * g));
        v = flushed(fma(V::broadcast(c[4]), v, V::broadcast(c[5]) * g * g));
        w = w - V::broadcast(c[0]) * m / fma(sqrt(v), V::broadcast(c[6]), V::broadcast(c[7]));
    }
};

// constants: learning rate, weight decay, ρ, 1 - ρ, ε
struct Rmsprop {
    static constexpr const char *name = "rmsprop";
    static constexpr int moments = 1;
    template <class V, class T> [[gnu::always_inline]] static void step(V &w, V g, V &v, V &, const T *c) {
        g = fma(V::broadcast(c[1]), w, g);
        v = flushed(fma(V::broadcast(c[2]), v, V::broadcast(c[3]) * g * g));
        w = w - V::broadcast(c[0]) * g / (sqrt(v) + V::broadcast(c[4]));
    }
};

// constants: learning rate, weight decay, ρ, 1 - ρ, ε, μ
struct RmspropMomentum {
    static constexpr const char *name = "rmsprop_momentum";
    static constexpr int moments = 2;
    template <class V, class T> [[gnu::always_inline]] static void step(V &w, V g, V &m, V &v, const T *c) {
        g = fma(V::broadcast(c[1]), w, g);
        v = flushed(fma(V::broadcast(c[2]), v, V::broadcast(c[3]) * g * g));
        m = flushed(fma(V::broadcast(c[5]), m, g / (sqrt(v) + V::broadcast(c[4]))));
        w = fma(V::broadcast(-c[0]), m, w);
    }
};

// constants: learning rate, weight decay, ε
struct Adagrad {
    static constexpr const char *name = "adagrad";
    static constexpr int moments = 1;
    template <class V, class T> [[gnu::always_inline]] static void step(V &w, V g, V &v, V &, const T *c) {
        g = fma(V::broadcast(c[1]), w, g);
        v = flushed(fma(g, g, v));
        w = w - V::broadcast(c[0]) * g / (sqrt(v) + V::broadcast(c[2]));
    }
};

template <class T, class Row> T update(const MatrixView<T> &weights, const MatrixView<const T> &gradient, const Moments<T> &moments,
                                       const T *given) {
    Largest<T> largest;
    const MatrixView<T> w = held(weights);
    const MatrixView<const T> g = held(gradient);
    T constants[most_constants];
#pragma GCC unroll 8
    for (Index i = 0; i < most_constants; ++i) constants[i] = given[i];
    const Index most = Row::moments > 0 ? moment_columns : w.columns; // in a strip
    for (Index first = 0; first < w.columns; first += most) {
        const auto strip = moments.strip(first);
        const Index columns = w.columns - first < most ? w.columns - first : most;
        const auto row = [&](Index r) {
            T *wr = w.data + r * w.stride + first;
            [[maybe_unused]] T *mr = Row::moments > 0 ? moments.first + strip.at + r * strip.stride : nullptr;
            [[maybe_unused]] T *vr = Row::moments > 1 ? moments.second + strip.at + r * strip.stride : nullptr;
            const T *gr = g.data + r * g.stride + first;
            sweep<T>(columns, [&](Index j, auto last) {
                const Index n = columns - j;
                Vec<T> weight = load_row(wr + j, n, last), m = Vec<T>::zero(), v = Vec<T>::zero();
                if constexpr (Row::moments > 0) m = load_row(mr + j, n, last);
                if constexpr (Row::moments > 1) v = load_row(vr + j, n, last);
                Row::step(weight, load_row(gr + j, n, last), m, v, constants);
                if constexpr (Row::moments > 0) store_row(m, mr + j, n, last);
                if constexpr (Row::moments > 1) store_row(v, vr + j, n, last);
                store_row(weight, wr + j, n, last);
                largest.add(inside(weight, n, last));
            });
        };
        // From both ends: what a prefetcher asks for beyond the last row is likely another thread's (17-64-64-6 on two threads: the update
        // of half of 64 · 64 weights took 1.9 µs in place of 1.15, and 7.4 in place of 2.8 where lines pass slowly between the cores).
        Index low = 0, high = w.rows;
        for (; low + 2 <= high; ++low) {
            row(low);
            row(--high);
        }
        if (low < high) row(low);
    }
    return largest.value();
}

using Optimizers = Rows<Sgd, Momentum, Nesterov, Adam, AdamW, Rmsprop, RmspropMomentum, Adagrad>;
