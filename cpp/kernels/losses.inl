// Losses of a panel's rows with their gradients: one struct a row of the table. `row` gets the target's row number `at`,
// writes d and returns the row's loss.

template <class T> [[gnu::always_inline]] inline T first_lane(Vec<T> v) {
    T lane;
    v.store(&lane, 1);
    return lane;
}

template <class T> [[gnu::always_inline]] inline T log_of(T x) { return first_lane(log(Vec<T>::broadcast(x))); }

// loss = log Σ exp(z - m) - (z_t - m), d = (p - 1{j = t}) · scale
struct CrossEntropyLabels {
    static constexpr const char *name = "cross_entropy";
    static constexpr TargetKind target = TargetKind::labels;
    static constexpr bool per_element = false;

    template <class T> static T row(const T *z, const Targets<T> &targets, Index at, T *d, Index n, T scale, Largest<T> &largest) {
        const Index t = targets.labels[at];
        const T m = maximum(z, n);
        const T shifted = z[t] - m;
        const T sum = exponentials(z, m, d, n);
        const Vec<T> s = Vec<T>::broadcast(sum), factor = Vec<T>::broadcast(scale), one = Vec<T>::broadcast(1);
        sweep<T>(n, [&](Index j, auto last) {
            const Vec<T> hot = select(first_lanes<T>(t - j + 1) & !first_lanes<T>(t - j), one, Vec<T>::zero());
            const Vec<T> v = flushed((load_row(d + j, n - j, last) / s - hot) * factor);
            store_row(v, d + j, n - j, last);
            largest.add(inside(v, n - j, last));
        });
        return log_of(sum) - shifted;
    }
};

// loss = Σ_j t_j (log Σ exp(z - m) - (z_j - m)), d = (p · Σ t - t) · scale: a one-hot t gives the bits of its label
struct CrossEntropyValues {
    static constexpr const char *name = "cross_entropy";
    static constexpr TargetKind target = TargetKind::values;
    static constexpr bool per_element = false;

    template <class T> static T row(const T *z, const Targets<T> &targets, Index at, T *d, Index n, T scale, Largest<T> &largest) {
        const T *t = targets.values + at * targets.stride;
        const T m = maximum(z, n);
        const T total = row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) { return lane + load_row(t + j, n - j, last); });
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
            const Vec<T> v = flushed(fma(p, weight, -load_row(t + j, n - j, last)) * factor);
            store_row(v, d + j, n - j, last);
            largest.add(inside(v, n - j, last));
        });
        return loss;
    }
};

// loss = Σ_j (z_j - t_j)², d = (z_j - t_j) · 2 · scale
struct SquaredError {
    static constexpr const char *name = "mse";
    static constexpr TargetKind target = TargetKind::values;
    static constexpr bool per_element = true;

    template <class T> static T row(const T *z, const Targets<T> &targets, Index at, T *d, Index n, T scale, Largest<T> &largest) {
        const T *t = targets.values + at * targets.stride;
        if (n == 1) { // its sum has one term
            const Vec<T> e = Vec<T>::broadcast(z[0] - t[0]), v = inside(flushed(e * Vec<T>::broadcast(scale + scale)), 1, Choice<true>{});
            v.store(d, 1);
            largest.add(v);
            return (z[0] - t[0]) * (z[0] - t[0]);
        }
        const T loss = row_sum<T>(n, [=](Vec<T> lane, Index j, auto last) {
            const Vec<T> e = load_row(z + j, n - j, last) - load_row(t + j, n - j, last);
            return fma(e, e, lane);
        });
        const Vec<T> factor = Vec<T>::broadcast(scale + scale);
        sweep<T>(n, [&](Index j, auto last) {
            const Vec<T> v = flushed((load_row(z + j, n - j, last) - load_row(t + j, n - j, last)) * factor);
            store_row(v, d + j, n - j, last);
            largest.add(inside(v, n - j, last));
        });
        return loss;
    }
};

template <class T, class Row>
T loss_gradient(const MatrixView<const T> &z, const Targets<T> &targets, const MatrixView<T> &d, T scale, T *losses, T *largest_loss) {
    Largest<T> largest, highest;
    for (Index r = 0; r < z.rows; ++r) {
        const Index at = targets.rows ? targets.rows[r] : targets.first + r;
        T *out = d.data + r * d.stride;
        const T weight = targets.weights ? targets.weights[at] : T(1);
        const T loss = Row::row(z.data + r * z.stride, targets, at, out, z.columns, scale * weight, largest) * weight;
        losses[r] = loss;
        clear_padding(out, z.columns);
        highest.add(Vec<T>::broadcast(loss));
    }
    *largest_loss = highest.value();
    return largest.value();
}

using Losses = Rows<CrossEntropyLabels, CrossEntropyValues, SquaredError>;
