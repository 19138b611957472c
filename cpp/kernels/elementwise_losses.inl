// Losses that compare each output with its own target: one struct a row of the table.
//   add(sum, z, t, parameter)     sum + the element's loss
//   gradient(z, t, parameter)     its derivative by z
// `parameter` is the loss's one number; most rows have none.

template <class V> [[gnu::always_inline]] inline V loss_constant(double value) {
    return V::broadcast(static_cast<typename V::Element>(value));
}

constexpr double least_probability = 1e-7; // Keras's epsilon: no probability is taken for smaller, nor for larger than 1 minus it

// The probability that a logarithm is taken of, and where the clipping leaves no gradient; a NaN stays one.
template <class V> [[gnu::always_inline]] inline V clipped(V p) {
    return min(loss_constant<V>(1 - least_probability), max(loss_constant<V>(least_probability), p));
}
template <class V> [[gnu::always_inline]] inline auto outside_clip(V p) {
    return (p < loss_constant<V>(least_probability)) | (p > loss_constant<V>(1 - least_probability));
}

// −t log s(z) − (1 − t) log(1 − s(z)) with s the sigmoid: max(z, 0) − z t + log(1 + e^−|z|)
struct BinaryCrossEntropy {
    static constexpr const char *name = "binary_cross_entropy";
    static constexpr bool per_element = true;
    template <class V> [[gnu::always_inline]] static V add(V sum, V z, V t, V) {
        return sum + (fma(-z, t, max(z, V::zero())) + log1p(exp(-abs(z))));
    }
    template <class V> [[gnu::always_inline]] static V gradient(V z, V t, V) { return sigmoid(z) - t; }
};

// −t log p − (1 − t) log(1 − p) with p clipped
struct BinaryCrossEntropyOfProbabilities {
    static constexpr const char *name = "binary_crossentropy";
    static constexpr bool per_element = true;
    template <class V> [[gnu::always_inline]] static V add(V sum, V p, V t, V) {
        const V q = clipped(p);
        return fma(t, -log(q), fma(V::broadcast(1) - t, -log1p(-q), sum));
    }
    template <class V> [[gnu::always_inline]] static V gradient(V p, V t, V) {
        return select(outside_clip(p), V::zero(), (p - t) / (p * (V::broadcast(1) - p)));
    }
};

// |z − t|, whose derivative at 0 is taken for 0
struct AbsoluteError {
    static constexpr const char *name = "mae";
    static constexpr bool per_element = true;
    template <class V> [[gnu::always_inline]] static V add(V sum, V z, V t, V) { return sum + abs(z - t); }
    template <class V> [[gnu::always_inline]] static V gradient(V z, V t, V) {
        const V e = z - t, one = V::broadcast(1);
        return select(e > V::zero(), one, select(e < V::zero(), -one, e));
    }
};

// e = z − t: ½ e² where |e| ≤ delta, else delta (|e| − ½ delta); both are c (e − ½ c), c = e between ±delta
struct Huber {
    static constexpr const char *name = "huber";
    static constexpr bool per_element = true;
    template <class V> [[gnu::always_inline]] static V gradient(V z, V t, V delta) { return min(delta, max(-delta, z - t)); }
    template <class V> [[gnu::always_inline]] static V add(V sum, V z, V t, V delta) {
        const V c = gradient(z, t, delta);
        return fma(c, fma(loss_constant<V>(-0.5), c, z - t), sum);
    }
};

// ½ (z − t)²
struct SumSquaresError {
    static constexpr const char *name = "sum_squares_error";
    static constexpr bool per_element = false;
    template <class V> [[gnu::always_inline]] static V add(V sum, V z, V t, V) {
        const V e = z - t;
        return fma(loss_constant<V>(0.5) * e, e, sum);
    }
    template <class V> [[gnu::always_inline]] static V gradient(V z, V t, V) { return z - t; }
};

using ElementwiseLosses = Rows<BinaryCrossEntropy, BinaryCrossEntropyOfProbabilities, AbsoluteError, Huber, SumSquaresError>;
