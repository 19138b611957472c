// Rows of the data set on their way into the batch buffer.

// A row in T: as it lies, or converted into `to`.
template <class T> const T *converted(const T *from, T *, Index) { return from; }
template <class T, class Source> const T *converted(const Source *from, T *to, Index n) {
    for (Index j = 0; j < n; ++j) to[j] = static_cast<T>(from[j]); // the compiler's vectors; conversions are IEEE
    return to;
}

template <class T, class Source>
T gather(const MatrixView<const Source> &x, const int32_t *rows, Index first, const MatrixView<T> &out, bool scaled, T scale, T offset) {
    Largest<T> largest;
    const Vec<T> factor = Vec<T>::broadcast(scale), shift = Vec<T>::broadcast(offset);
    for (Index r = 0; r < out.rows; ++r) {
        T *const to = out.data + r * out.stride;
        const Index n = out.columns;
        const T *const from = converted(x.data + (rows ? rows[r] : first + r) * x.stride, to, n);
        sweep<T>(n, [&](Index j, auto last) {
            Vec<T> v = load_row(from + j, n - j, last);
            if (scaled) v = v * factor + shift;
            if (scaled || from != to) store_row(v, to + j, n - j, last);
            largest.add(inside(v, n - j, last));
        });
        clear_padding(to, n);
    }
    return largest.value();
}
