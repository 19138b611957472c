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

template <class T> T cross_entropy_with_label(const T *z, Target<T> target, T *d, Index columns, T scale) {
    const SoftmaxRow<T> softmax(z, columns);
    const Index label = target.targets.labels[target.row];
    const T loss = softmax.surprise(label);
    for (Index j = 0; j < columns; ++j) d[j] = flushed((softmax.probability(j) - (j == label ? T(1) : T(0))) * scale);
    return loss;
}

template <class T> T cross_entropy_with_values(const T *z, Target<T> target, T *d, Index columns, T scale) {
    const SoftmaxRow<T> softmax(z, columns);
    const T total = row_sum<T>(columns, [&](T lane, Index j) { return lane + target.value(j); });
    const T loss = row_sum<T>(columns, [&](T lane, Index j) { return soft_fma(target.value(j), softmax.surprise(j), lane); });
    for (Index j = 0; j < columns; ++j) d[j] = flushed(soft_fma(softmax.probability(j), total, -target.value(j)) * scale);
    return loss;
}

template <class T> T squared_error(const T *z, Target<T> target, T *d, Index columns, T scale) {
    const T loss = row_sum<T>(columns, [&](T lane, Index j) { return soft_fma(z[j] - target.value(j), z[j] - target.value(j), lane); });
    for (Index j = 0; j < columns; ++j) d[j] = flushed((z[j] - target.value(j)) * (scale + scale));
    return loss;
}

template <class T, T (*row_loss)(const T *, Target<T>, T *, Index, T)>
T loss_gradient(const MatrixView<const T> &z, const Targets<T> &targets, const MatrixView<T> &d, T scale, T *losses, T *largest_loss) {
    T largest = 0;
    *largest_loss = 0;
    for (Index r = 0; r < z.rows; ++r) {
        const Index row = targets.rows ? targets.rows[r] : targets.first + r;
        const T weight = targets.weights ? targets.weights[row] : T(1);
        losses[r] = row_loss(row_of(z, r), {targets, row}, row_of(d, r), z.columns, scale * weight) * weight;
        clear_padding(d, r);
        *largest_loss = larger(*largest_loss, losses[r]);
        for (Index j = 0; j < d.columns; ++j) largest = larger(largest, row_of(d, r)[j]);
    }
    return largest;
}

template <class T>
constexpr LossKernels<T> losses[] = {
    {"cross_entropy", TargetKind::labels, false, loss_gradient<T, cross_entropy_with_label>},
    {"cross_entropy", TargetKind::values, false, loss_gradient<T, cross_entropy_with_values>},
    {"mse", TargetKind::values, true, loss_gradient<T, squared_error>},
    {nullptr, TargetKind::labels, false, nullptr},
};
