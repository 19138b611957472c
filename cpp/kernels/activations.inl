// The elementwise activations: one row each. To add one, add a struct here and its name to the list at the end.
//   forward(z, alpha)          h = f(z)
//   backward(d, saved, alpha)  d · f'(z), from the output h or the input z as `needs` says
// `alpha` is the layer's one parameter; most rows have none. A row that needs `nothing` has no backward. `paired`: forward's
// operations wait for one another, so that two vectors in step take less time than one after the other.

struct Identity {
    static constexpr const char *name = "identity";
    static constexpr bool paired = false;
    static constexpr Needs needs = Needs::output;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) { return z; }
    template <class V> [[gnu::always_inline]] static V backward(V d, V, V) { return d; }
};

struct Sigmoid {
    static constexpr const char *name = "sigmoid";
    static constexpr bool paired = true;
    static constexpr Needs needs = Needs::output;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) { return sigmoid(z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V h, V) { return d * (h * (V::broadcast(1) - h)); }
};

struct Tanh {
    static constexpr const char *name = "tanh";
    static constexpr bool paired = true;
    static constexpr Needs needs = Needs::output;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) { return tanh(z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V h, V) { return d * fma(-h, h, V::broadcast(1)); }
};

// A NaN is not ≤ 0, so it stays, and its gradient too.
struct Relu {
    static constexpr const char *name = "relu";
    static constexpr bool paired = false;
    static constexpr Needs needs = Needs::output;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) { return select(z <= V::zero(), V::zero(), z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V h, V) { return select(h <= V::zero(), V::zero(), d); }
};

// From the output, which has the input's sign because alpha ≥ 0.
struct LeakyRelu {
    static constexpr const char *name = "leaky_relu";
    static constexpr bool paired = false;
    static constexpr Needs needs = Needs::output;
    template <class V> [[gnu::always_inline]] static V forward(V z, V alpha) { return select(z <= V::zero(), alpha * z, z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V h, V alpha) { return select(h > V::zero(), d, d * alpha); }
};

// From the input: of the output, h + alpha, few digits are left where z is far below 0.
struct Elu {
    static constexpr const char *name = "elu";
    static constexpr bool paired = true;
    static constexpr Needs needs = Needs::input;
    template <class V> [[gnu::always_inline]] static V forward(V z, V alpha) { return select(z <= V::zero(), alpha * expm1(z), z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V z, V alpha) {
        return select(z <= V::zero(), d * (alpha * exp(z)), d);
    }
};

// The constants of Klambauer et al. 2017, section 2: what keeps mean 0 and variance 1.
struct Selu {
    static constexpr const char *name = "selu";
    static constexpr bool paired = true;
    static constexpr Needs needs = Needs::input;
    static constexpr double scale = 1.0507009873554804934193349852946, alpha = 1.6732632423543772848170429916717;
    template <class V> static V constant(double value) { return V::broadcast(static_cast<typename V::Element>(value)); }
    template <class V> [[gnu::always_inline]] static V forward(V z, V) {
        return select(z <= V::zero(), constant<V>(scale * alpha) * expm1(z), constant<V>(scale) * z);
    }
    template <class V> [[gnu::always_inline]] static V backward(V d, V z, V) {
        return d * select(z <= V::zero(), constant<V>(scale * alpha) * exp(z), constant<V>(scale));
    }
};

// dh/dz = sigmoid(z) = 1 − e^−h, of the output with all digits.
struct Softplus {
    static constexpr const char *name = "softplus";
    static constexpr bool paired = true;
    static constexpr Needs needs = Needs::output;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) { return softplus(z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V h, V) { return d * -expm1(-h); }
};

// dh/dz = s + z s (1 − s), s = sigmoid(z) and 1 − s = sigmoid(−z)
struct Swish {
    static constexpr const char *name = "swish";
    static constexpr bool paired = true;
    static constexpr Needs needs = Needs::input;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) { return swish(z); }
    template <class V> [[gnu::always_inline]] static V backward(V d, V z, V) {
        const V bounded = min(V::broadcast(1000), z); // beyond, sigmoid(−z) is 0: not infinity times it
        return d * fma(swish(bounded), sigmoid(-z), sigmoid(z));
    }
};

// h = z Φ(z), dh/dz = Φ(z) + z φ(z) with Φ and φ the normal distribution and its density
struct Gelu {
    static constexpr const char *name = "gelu";
    static constexpr bool paired = true;
    static constexpr Needs needs = Needs::input;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) {
        const auto n = normal(z);
        const V tail = n.density * n.ratio;
        return select(z < V::zero(), -n.size * tail * n.scale, z * (V::broadcast(1) - tail * n.scale));
    }
    template <class V> [[gnu::always_inline]] static V backward(V d, V z, V) {
        constexpr double root = 0.39894228040143267793994605993438; // 1 / √2π
        const auto n = normal(z);
        const V tail = n.density * n.ratio * n.scale;
        const V product = n.size * n.density * n.scale * V::broadcast(static_cast<typename V::Element>(root));
        return d * select(z < V::zero(), tail - product, (V::broadcast(1) - tail) + product);
    }
};

// h = ½ z (1 + tanh u) = z s, u = √(2/π) (z + 0.044715 z³), s = sigmoid(2u);  dh/dz = s + z s (1 − s) · 2 du/dz
struct GeluTanh {
    static constexpr const char *name = "gelu_tanh";
    static constexpr bool paired = true;
    static constexpr Needs needs = Needs::input;
    static constexpr double linear = 1.5957691216057307117597842397375; // 2 √(2/π)
    static constexpr double cubic = 0.044715 * linear, largest = 30;    // beyond ±30: 0 and z, in float64 too
    template <class V> static V constant(double value) { return V::broadcast(static_cast<typename V::Element>(value)); }
    template <class V> [[gnu::always_inline]] static V forward(V z, V) {
        const V bounded = max(constant<V>(-largest), z);
        const V inside = min(constant<V>(largest), bounded);
        return bounded * sigmoid(inside * fma(inside * inside, constant<V>(cubic), constant<V>(linear)));
    }
    template <class V> [[gnu::always_inline]] static V backward(V d, V z, V) {
        const V inside = min(constant<V>(largest), max(constant<V>(-largest), z)), square = inside * inside;
        const V twice_u = inside * fma(square, constant<V>(cubic), constant<V>(linear));
        const V s = sigmoid(twice_u), slope = fma(square, constant<V>(3 * cubic), constant<V>(linear));
        return d * fma(inside * s * sigmoid(-twice_u), slope, s);
    }
};

// Heaviside's function, 0 at 0: its derivative is 0 wherever there is one.
struct Step {
    static constexpr const char *name = "step";
    static constexpr bool paired = false;
    static constexpr Needs needs = Needs::nothing;
    template <class V> [[gnu::always_inline]] static V forward(V z, V) {
        return select(z > V::zero(), V::broadcast(1), select(z <= V::zero(), V::zero(), z));
    }
};

using Activations = Rows<Identity, Sigmoid, Tanh, Relu, LeakyRelu, Elu, Selu, Softplus, Swish, Gelu, GeluTanh, Step>;
