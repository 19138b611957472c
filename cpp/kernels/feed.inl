// Rows of the data set on their way into the batch buffer.

template <class T, class Source>
T gather(const MatrixView<const Source> &x, const int32_t *rows, Index first, const MatrixView<T> &out, bool scaled, T scale, T offset) {
    Largest<T> largest;
    const Vec<T> factor = Vec<T>::broadcast(scale), shift = Vec<T>::broadcast(offset);
    for (Index r = 0; r < out.rows; ++r) {
        const Source *from = x.data + (rows ? rows[r] : first + r) * x.stride;
        T *to = out.data + r * out.stride;
        const Index n = out.columns;
        for (Index j = 0; j < n; ++j) to[j] = static_cast<T>(from[j]); // the compiler's vectors; conversions are IEEE
        sweep<T>(n, [&](Index j, auto last) {
            Vec<T> v = load_row(to + j, n - j, last);
            if (scaled) {
                v = v * factor + shift;
                store_row(v, to + j, n - j, last);
            }
            largest.add(inside(v, n - j, last));
        });
        clear_padding(to, n);
    }
    return largest.value();
}
