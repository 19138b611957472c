// The kernel set of this translation unit, built from the type lists.

template <class T, class... Row> struct FunctionTable {
    static constexpr FunctionKernels<T> rows[] = {{Row::name, apply_function<T, Row>}..., {nullptr, nullptr}};
};
template <class T, class Row> constexpr auto backward_of() -> T (*)(const MatrixView<T> &, const MatrixView<const T> &, T) {
    if constexpr (Row::needs == Needs::nothing) return nullptr;
    else return backward<T, Row>;
}
template <class T, class... Row> struct ActivationTable {
    static constexpr ActivationKernels<T> rows[] = {
        {Row::name, Row::needs, false, apply<T, Row>, forward<T, Row>, backward_of<T, Row>()}...,
        {"softmax", Needs::output, true, softmax_apply<T>, softmax_forward<T>, softmax_backward<T>},
        {nullptr, Needs::output, false, nullptr, nullptr, nullptr}};
};
template <class T, class... Row> struct LossTable {
    static constexpr LossKernels<T> rows[] = {{Row::name, Row::target, Row::per_element, loss_gradient<T, Row>}...,
                                              {nullptr, TargetKind::labels, false, nullptr}};
};
template <class T, class... Row> struct OptimizerTable {
    static constexpr OptimizerKernels<T> rows[] = {{Row::name, Row::moments, update<T, Row>, descends<Row>}...,
                                                   {nullptr, 0, nullptr, false}};
};

template <template <class, class...> class Table, class T, class... Row> constexpr auto *table_of(Rows<Row...>) {
    return Table<T, Row...>::rows;
}

template <class T> constexpr Kernels<T> kernels() {
    return {.width = Vec<T>::width,
            .short_width = ShortVec<T>::width,
            .shared_columns = shared_columns<T>,
            .looks = may_look,
            .tile_rows = tile_rows<2>,
            .tile_columns = 2 * Vec<T>::width,
            .matmul = matmul<T>,
            .sparse_matmul = sparse_matmul<T>,
            .turned_matmul = turned_matmul<T>,
            .turned_rows = turned_rows<T>,
            .nonzeros = nonzeros<T>,
            .transpose = transpose<T>,
            .column_sums = column_sums<T>,
            .add = add<T>,
            .largest = largest_of<T>,
            .argmax = argmax<T>,
            .peak = peak<T>,
            .peak_elements = peak_elements<T>,
            .dropout = dropout<T>,
            .normalization = normalization<T>,
            .gather_float32 = gather<T, float>,
            .gather_float64 = gather<T, double>,
            .gather_uint8 = gather<T, uint8_t>,
            .row_squares = row_squares<T>,
            .clip = clip<T>,
            .row_magnitudes = row_magnitudes<T>,
            .penalize = penalize<T>,
            .functions = table_of<FunctionTable, T>(Functions{}),
            .activations = table_of<ActivationTable, T>(Activations{}),
            .losses = table_of<LossTable, T>(Losses{}),
            .optimizers = table_of<OptimizerTable, T>(Optimizers{})};
}
