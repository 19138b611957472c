// The elementwise activations: one row each. To add one, add a struct here and its name to the list at the end.
//   forward(z, alpha)          h = f(z)
//   backward(d, saved, alpha)  d · f'(z), from the output h or the input z as `needs` says
// `alpha` is the layer's one parameter; most rows have none.

struct Identity {
    static constexpr const char *name = "identity";
    static constexpr Needs needs = Needs::output;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) { return z; }
    template <class V> [[gnu::always_inline]] static V backward(V d, V, V) { return d; }
};

struct Sigmoid {
    static constexpr const char *name = "sigmoid";
    static constexpr Needs needs = Needs::output;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) { return sigmoid(z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V h, V) { return d * (h * (V::broadcast(1) - h)); }
};

struct Tanh {
    static constexpr const char *name = "tanh";
    static constexpr Needs needs = Needs::output;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) { return tanh(z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V h, V) { return d * fma(-h, h, V::broadcast(1)); }
};

// A NaN is not ≤ 0, so it stays, and its gradient too.
struct Relu {
    static constexpr const char *name = "relu";
    static constexpr Needs needs = Needs::output;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) { return select(z <= V::zero(), V::zero(), z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V h, V) { return select(h <= V::zero(), V::zero(), d); }
};

// From the output, which has the input's sign because alpha ≥ 0.
struct LeakyRelu {
    static constexpr const char *name = "leaky_relu";
    static constexpr Needs needs = Needs::output;
    template <class V> [[gnu::always_inline]] static V forward(V z, V alpha) { return select(z <= V::zero(), alpha * z, z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V h, V alpha) { return select(h > V::zero(), d, d * alpha); }
};

// From the input: of the output, h + alpha, few digits are left where z is far below 0.
struct Elu {
    static constexpr const char *name = "elu";
    static constexpr Needs needs = Needs::input;
    template <class V> [[gnu::always_inline]] static V forward(V z, V alpha) { return select(z <= V::zero(), alpha * expm1(z), z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V z, V alpha) {
        return select(z <= V::zero(), d * (alpha * exp(z)), d);
    }
};

using Activations = Rows<Identity, Sigmoid, Tanh, Relu, LeakyRelu, Elu>;
