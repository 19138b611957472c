// Losses of the scalar set: a row's loss first, then its gradient, which may be written over z.

template <class T> struct Target {
    const Targets<T> &targets;
    Index row; // of the data set
    T value(Index column) const { return targets.values[row * targets.stride + column]; }
};

// Softmax of a row, and its cross-entropy with a label or a distribution.
template <class T> struct SoftmaxRow {
    const T *z;
    T maximum, sum, log_sum;

    SoftmaxRow(const T *row, Index columns) : z(row), maximum(row[0]) {
        for (Index j = 1; j < columns; ++j) maximum = z[j] > maximum ? z[j] : maximum;
        sum = row_sum<T>(columns, [&](T lane, Index j) { return lane + exponential(j); });
        log_sum = value(log(Vec<T>{sum}));
    }
    T exponential(Index j) const { return value(exp(Vec<T>{z[j] - maximum})); }
    T probability(Index j) const { return exponential(j) / sum; }
    T surprise(Index j) const { return log_sum - (z[j] - maximum); } // -log probability
};

template <class T> T cross_entropy_with_label(const T *z, Target<T> target, T *d, Index columns, T scale, T) {
    const SoftmaxRow<T> softmax(z, columns);
    const Index label = target.targets.labels[target.row];
    const T loss = softmax.surprise(label);
    for (Index j = 0; j < columns; ++j) d[j] = flushed((softmax.probability(j) - (j == label ? T(1) : T(0))) * scale);
    return loss;
}

template <class T> T cross_entropy_with_values(const T *z, Target<T> target, T *d, Index columns, T scale, T) {
    const SoftmaxRow<T> softmax(z, columns);
    const T total = row_sum<T>(columns, [&](T lane, Index j) { return lane + target.value(j); });
    const T loss = row_sum<T>(columns, [&](T lane, Index j) { return soft_fma(target.value(j), softmax.surprise(j), lane); });
    for (Index j = 0; j < columns; ++j) d[j] = flushed(soft_fma(softmax.probability(j), total, -target.value(j)) * scale);
    return loss;
}

template <class T> T squared_error(const T *z, Target<T> target, T *d, Index columns, T scale, T) {
    const T loss = row_sum<T>(columns, [&](T lane, Index j) { return soft_fma(z[j] - target.value(j), z[j] - target.value(j), lane); });
    for (Index j = 0; j < columns; ++j) d[j] = flushed((z[j] - target.value(j)) * (scale + scale));
    return loss;
}

// A row of probabilities p: q = p / Σ p, and what the clipping before the logarithm makes of it.
template <class T> struct ProbabilityRow {
    const T *p;
    T sum;

    ProbabilityRow(const T *row, Index columns) : p(row), sum(row_sum<T>(columns, [row](T lane, Index j) { return lane + row[j]; })) {}
    T share(Index j) const { return p[j] / sum; }
    T surprise(Index j) const { return value(-log(clipped(Vec<T>{share(j)}))); }
    bool has_gradient(Index j) const { return !any(outside_clip(Vec<T>{share(j)})); } // a NaN has
};

template <class T> T categorical_with_label(const T *p, Target<T> target, T *d, Index columns, T scale, T) {
    const ProbabilityRow<T> row(p, columns);
    const Index label = target.targets.labels[target.row];
    const T loss = row.surprise(label), q = row.share(label), factor = scale / row.sum;
    const T weight = row.has_gradient(label) ? T(1) : T(0), own = row.has_gradient(label) ? 1 / q : T(0);
    for (Index j = 0; j < columns; ++j) d[j] = flushed((j == label ? weight - own : weight) * factor);
    return loss;
}

template <class T> T categorical_with_values(const T *p, Target<T> target, T *d, Index columns, T scale, T) {
    const ProbabilityRow<T> row(p, columns);
    const T loss = row_sum<T>(columns, [&](T lane, Index j) { return soft_fma(target.value(j), row.surprise(j), lane); });
    const T weight = row_sum<T>(columns, [&](T lane, Index j) { return lane + (row.has_gradient(j) ? target.value(j) : T(0)); });
    for (Index j = 0; j < columns; ++j) {
        const T own = row.has_gradient(j) ? weight - target.value(j) / row.share(j) : weight;
        d[j] = flushed(own * (scale / row.sum));
    }
    return loss;
}

// A row of the type list of elementwise_losses.inl.
template <class Row, class T> T elementwise_loss(const T *z, Target<T> target, T *d, Index columns, T scale, T parameter) {
    const Vec<T> a{parameter};
    const T loss =
        row_sum<T>(columns, [&](T lane, Index j) { return value(Row::add(Vec<T>{lane}, Vec<T>{z[j]}, Vec<T>{target.value(j)}, a)); });
    for (Index j = 0; j < columns; ++j) d[j] = flushed(value(Row::gradient(Vec<T>{z[j]}, Vec<T>{target.value(j)}, a)) * scale);
    return loss;
}

template <class T, T (*row_loss)(const T *, Target<T>, T *, Index, T, T)>
T loss_gradient(const MatrixView<const T> &z, const Targets<T> &targets, const MatrixView<T> &d, T scale, T parameter, T *losses,
                T *largest_loss) {
    T largest = 0;
    *largest_loss = 0;
    for (Index r = 0; r < z.rows; ++r) {
        const Index row = targets.rows ? targets.rows[r] : targets.first + r;
        const T weight = targets.weights ? targets.weights[row] : T(1);
        losses[r] = row_loss(row_of(z, r), {targets, row}, row_of(d, r), z.columns, scale * weight, parameter) * weight;
        clear_padding(d, r);
        *largest_loss = larger(*largest_loss, losses[r]);
        for (Index j = 0; j < d.columns; ++j) largest = larger(largest, row_of(d, r)[j]);
    }
    return largest;
}

template <class T, class List> struct LossTable;
template <class T, class... Row> struct LossTable<T, Rows<Row...>> {
    static constexpr LossKernels<T> rows[] = {
        {"cross_entropy", TargetKind::labels, false, loss_gradient<T, cross_entropy_with_label>},
        {"cross_entropy", TargetKind::values, false, loss_gradient<T, cross_entropy_with_values>},
        {"categorical_crossentropy", TargetKind::labels, false, loss_gradient<T, categorical_with_label>},
        {"categorical_crossentropy", TargetKind::values, false, loss_gradient<T, categorical_with_values>},
        {"mse", TargetKind::values, true, loss_gradient<T, squared_error>},
        {Row::name, TargetKind::values, Row::per_element, loss_gradient<T, elementwise_loss<Row, T>>}...,
        {nullptr, TargetKind::labels, false, nullptr}};
};
