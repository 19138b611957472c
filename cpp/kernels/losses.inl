// Losses of a panel's rows with their gradients: one struct a row of the table. `row` gets the target's row number `at`, writes d and
// returns the row's loss. Rows with a label are taken by the vector: `terms` of each, which may leave something in d, then `gradient`
// of each, which writes d, and `loss` of all. With a logarithm and a division that wait for a row's own sum, row after row, a step of
// 4-16-3 on 32 rows took 2.3 µs in place of 1.7.

template <class T> [[gnu::always_inline]] inline T first_lane(Vec<T> v) {
    T lane;
    v.store(&lane, 1);
    return lane;
}

template <class T> [[gnu::always_inline]] inline T log_of(T x) { return first_lane(log(Vec<T>::broadcast(x))); }

template <class T> T sum_of_row(const T *x, Index n) {
    return row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) { return lane + load_row(x + j, n - j, last); });
}

// Whole vectors, zero in the padding: a masked store makes the next kernel's load of it wait for the cache.
template <class T, class Last> [[gnu::always_inline]] inline void write_gradient(Vec<T> v, T *d, Index n, Last last, Largest<T> &largest) {
    settled(v, n, last, largest).store(d);
}

// Of a row with a label: what the logarithm in its loss is taken of, and what else its loss or its gradient needs.
template <class T> struct LabelTerms {
    T argument, rest;
};

// loss = log Σ exp(z - m) - (z_t - m), d = (p - 1{j = t}) · scale
struct CrossEntropyLabels {
    static constexpr const char *name = "cross_entropy";
    static constexpr TargetKind target = TargetKind::labels;
    static constexpr bool per_element = false;

    template <class T> static LabelTerms<T> terms(const T *z, Index t, T *d, Index n) {
        const T m = maximum(z, n), shifted = z[t] - m;
        return {exponentials(z, m, d, n), shifted};
    }
    template <class T> static void gradient(const LabelTerms<T> &of, Index t, T *d, Index n, T scale, Largest<T> &largest) {
        const Vec<T> s = Vec<T>::broadcast(of.argument), factor = Vec<T>::broadcast(scale), one = Vec<T>::broadcast(1);
        sweep<T>(n, [&](Index j, auto last) {
            const Vec<T> hot = select(first_lanes<T>(t - j + 1) & !first_lanes<T>(t - j), one, Vec<T>::zero());
            write_gradient((load_row(d + j, n - j, last) / s - hot) * factor, d + j, n - j, last, largest);
        });
    }
    template <class V> [[gnu::always_inline]] static V loss(V sum, V shifted) { return log(sum) - shifted; }
};

// loss = Σ_j t_j (log Σ exp(z - m) - (z_j - m)), d = (p · Σ t - t) · scale: a one-hot t gives the bits of its label
struct CrossEntropyValues {
    static constexpr const char *name = "cross_entropy";
    static constexpr TargetKind target = TargetKind::values;
    static constexpr bool per_element = false;

    template <class T>
    static T row(const T *z, const Targets<T> &targets, Index at, T *d, Index n, T scale, T, Largest<T> &largest) {
        const T *t = targets.values + at * targets.stride;
        const T m = maximum(z, n);
        const T total = sum_of_row(t, n);
        // z - m and log Σ are needed after d, which may lie over z, is written: the loss comes first.
        const T sum =
            row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) { return lane + exp(load_row(z + j, n - j, last) - Vec<T>::broadcast(m)); });
        const Vec<T> log_sum = Vec<T>::broadcast(log_of(sum)), shift = Vec<T>::broadcast(m);
        const T loss = row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) {
            return fma(load_row(t + j, n - j, last), log_sum - (load_row(z + j, n - j, last) - shift), lane);
        });
        const Vec<T> s = Vec<T>::broadcast(sum), factor = Vec<T>::broadcast(scale), weight = Vec<T>::broadcast(total);
        sweep<T>(n, [&](Index j, auto last) {
            const Vec<T> p = exp(load_row(z + j, n - j, last) - shift) / s;
            write_gradient(fma(p, weight, -load_row(t + j, n - j, last)) * factor, d + j, n - j, last, largest);
        });
        return loss;
    }
};

// loss = Σ_j (z_j - t_j)², d = (z_j - t_j) · 2 · scale
struct SquaredError {
    static constexpr const char *name = "mse";
    static constexpr TargetKind target = TargetKind::values;
    static constexpr bool per_element = true;

    template <class T>
    static T row(const T *z, const Targets<T> &targets, Index at, T *d, Index n, T scale, T, Largest<T> &largest) {
        const T *t = targets.values + at * targets.stride;
        if (n == 1) {                // its sum has one term
            const T e = z[0] - t[0]; // d may lie over z
            write_gradient(Vec<T>::broadcast(e) * Vec<T>::broadcast(scale + scale), d, 1, Choice<true>{}, largest);
            return e * e;
        }
        const T loss = row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) {
            const Vec<T> e = load_row(z + j, n - j, last) - load_row(t + j, n - j, last);
            return fma(e, e, lane);
        });
        const Vec<T> factor = Vec<T>::broadcast(scale + scale);
        sweep<T>(n, [&](Index j, auto last) {
            write_gradient((load_row(z + j, n - j, last) - load_row(t + j, n - j, last)) * factor, d + j, n - j, last, largest);
        });
        return loss;
    }
};

// The cross-entropy of rows of probabilities p: q = p / Σ p, clipped for the logarithm as Keras clips it.
//   loss = -log q_t, d = (1 - 1{j = t} / q_t) · (scale / Σ p), and 0 where the clipping leaves no gradient
struct CategoricalLabels {
    static constexpr const char *name = "categorical_crossentropy";
    static constexpr TargetKind target = TargetKind::labels;
    static constexpr bool per_element = false;

    template <class T> static LabelTerms<T> terms(const T *p, Index t, T *, Index n) {
        const T sum = sum_of_row(p, n);
        return {p[t] / sum, sum};
    }
    template <class T> static void gradient(const LabelTerms<T> &of, Index t, T *d, Index n, T scale, Largest<T> &largest) {
        const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::broadcast(1), q = Vec<T>::broadcast(of.argument);
        const Vec<T> other = select(outside_clip(q), zero, one), own = other - select(outside_clip(q), zero, one / q);
        const Vec<T> factor = Vec<T>::broadcast(scale / of.rest);
        sweep<T>(n, [&](Index j, auto last) {
            write_gradient(select(first_lanes<T>(t - j + 1) & !first_lanes<T>(t - j), own, other) * factor, d + j, n - j, last, largest);
        });
    }
    template <class V> [[gnu::always_inline]] static V loss(V q, V) { return -log(clipped(q)); }
};

// loss = -Σ_j t_j log q_j, d_j = (W - w_j / q_j) · (scale / Σ p), w = t where the clipping leaves a gradient, else 0, and
// W = Σ w: a one-hot t gives the bits of its label
struct CategoricalValues {
    static constexpr const char *name = "categorical_crossentropy";
    static constexpr TargetKind target = TargetKind::values;
    static constexpr bool per_element = false;

    template <class T>
    static T row(const T *p, const Targets<T> &targets, Index at, T *d, Index n, T scale, T, Largest<T> &largest) {
        const T *t = targets.values + at * targets.stride;
        const T sum = sum_of_row(p, n);
        const Vec<T> s = Vec<T>::broadcast(sum), factor = Vec<T>::broadcast(scale / sum);
        const T loss = row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) {
            return fma(load_row(t + j, n - j, last), -log(clipped(load_row(p + j, n - j, last) / s)), lane);
        });
        const Vec<T> weight = Vec<T>::broadcast(row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) {
            return lane + select(outside_clip(load_row(p + j, n - j, last) / s), Vec<T>::zero(), load_row(t + j, n - j, last));
        }));
        sweep<T>(n, [&](Index j, auto last) {
            const Vec<T> q = load_row(p + j, n - j, last) / s;
            write_gradient(select(outside_clip(q), weight, weight - load_row(t + j, n - j, last) / q) * factor, d + j, n - j, last,
                           largest);
        });
        return loss;
    }
};

// A row of the type list of elementwise_losses.inl.
template <class Formula> struct Elementwise {
    static constexpr const char *name = Formula::name;
    static constexpr TargetKind target = TargetKind::values;
    static constexpr bool per_element = Formula::per_element;

    template <class T>
    static T row(const T *z, const Targets<T> &targets, Index at, T *d, Index n, T scale, T parameter, Largest<T> &largest) {
        const T *t = targets.values + at * targets.stride;
        const Vec<T> a = Vec<T>::broadcast(parameter), factor = Vec<T>::broadcast(scale);
        const T loss = row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) {
            return Formula::add(lane, load_row(z + j, n - j, last), load_row(t + j, n - j, last), a);
        });
        sweep<T>(n, [&](Index j, auto last) {
            write_gradient(Formula::gradient(load_row(z + j, n - j, last), load_row(t + j, n - j, last), a) * factor, d + j, n - j, last,
                           largest);
        });
        return loss;
    }
};

template <class Row> constexpr bool has_labels = Row::target == TargetKind::labels;

template <class T> [[gnu::always_inline]] inline T weight_of_row(const Targets<T> &targets, Index at) {
    return targets.weights ? targets.weights[at] : T(1);
}

template <class T, class Row>
T label_gradients(const MatrixView<const T> &z, const Targets<T> &targets, const MatrixView<T> &d, T scale, T *losses, T *largest_loss) {
    constexpr Index width = Vec<T>::width;
    Largest<T> largest, highest;
    for (Index first = 0; first < z.rows; first += width) {
        const Index count = z.rows - first < width ? z.rows - first : width;
        T arguments[size_t{width}], rests[size_t{width}], weights[size_t{width}];
        Index labels[size_t{width}];
        for (Index i = 0; i < count; ++i) {
            const Index r = first + i, at = targets.rows ? targets.rows[r] : targets.first + r;
            labels[i] = targets.labels[at];
            weights[i] = weight_of_row(targets, at);
            const LabelTerms<T> made = Row::terms(z.data + r * z.stride, labels[i], d.data + r * d.stride, z.columns);
            arguments[i] = made.argument;
            rests[i] = made.rest;
        }
        for (Index i = 0; i < count; ++i) {
            T *const out = d.data + (first + i) * d.stride;
            Row::template gradient<T>({arguments[i], rests[i]}, labels[i], out, z.columns, scale * weights[i], largest);
            if constexpr (width < padding) clear_padding(out, (z.columns + width - 1) & -width);
        }
        const Vec<T> loss = Row::loss(Vec<T>::load(arguments, count), Vec<T>::load(rests, count)) * Vec<T>::load(weights, count);
        loss.store(losses + first, count);
        highest.add(inside(loss, count, Choice<true>{}));
    }
    *largest_loss = highest.value();
    return largest.value();
}

template <class T, class Row>
T loss_gradient(const MatrixView<const T> &z, const Targets<T> &targets, const MatrixView<T> &d, T scale, T parameter, T *losses,
                T *largest_loss) {
    if constexpr (has_labels<Row>) return label_gradients<T, Row>(z, targets, d, scale, losses, largest_loss);
    else {
        Largest<T> largest, highest;
        for (Index r = 0; r < z.rows; ++r) {
            const Index at = targets.rows ? targets.rows[r] : targets.first + r;
            T *out = d.data + r * d.stride;
            const T weight = weight_of_row(targets, at);
            const T loss = Row::row(z.data + r * z.stride, targets, at, out, z.columns, scale * weight, parameter, largest) * weight;
            losses[r] = loss;
            if constexpr (Vec<T>::width < padding) clear_padding(out, (z.columns + Vec<T>::width - 1) & -Vec<T>::width);
            highest.add(Vec<T>::broadcast(loss));
        }
        *largest_loss = highest.value();
        return largest.value();
    }
}

template <class List> struct WithElementwise;
template <class... Formula> struct WithElementwise<Rows<Formula...>> {
    using Losses =
        Rows<CrossEntropyLabels, CrossEntropyValues, CategoricalLabels, CategoricalValues, SquaredError, Elementwise<Formula>...>;
};
using Losses = WithElementwise<ElementwiseLosses>::Losses;
