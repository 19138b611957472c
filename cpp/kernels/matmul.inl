// Register tiles: R rows × C vectors of C = A·B, every element one chain over k, kept in registers from first to last k. Adding +0
// at the end makes a -0, which only an underflow leaves, +0.
// B is read in place, whole vectors of a row; A is broadcast element by element. On Zen 4 the products of 784-512 on 128 rows
// reach 114 to 117 GFLOP/s a core so, with outer tiles of 12 to 784 rows and 64 to 512 columns alike.

// Of a deeper B the next columns are fetched into L2, as L1 has lost the first of them when their turn comes. The bound lies between what
// was measured: a step of 1024-1024-1024-1024-1000 on 1024 rows takes 2 % less so; 16×256×2048 in functional.matmul runs at 97 GFLOP/s
// fetched into L1, into L2 at 78.
constexpr Index near_depth = 512;

// A turn; the last asks too for where the row ahead goes on, less than a line. Returns whether it was that.
template <class T> [[gnu::always_inline]] inline bool copy_line(Copy<T> &copy) {
    if (copy.to) {
#pragma GCC unroll 8
        for (Index j = 0; j < line_elements<T>; j += Vec<T>::width) Vec<T>::load(copy.from + j).store(copy.to + j);
        copy.from += line_elements<T>;
        copy.to += line_elements<T>;
    }
    __builtin_prefetch(copy.ahead, 0, 2);
    copy.ahead += line_elements<T>;
    if (--copy.count > 0) return false;
    __builtin_prefetch(copy.ahead, 0, 2);
    return true;
}

// What is left of the lines and copies beside a tile.
template <class T> [[gnu::always_inline]] inline void keep(const Product<T> &p, Lines *run, Lines lines, Copy<T> *copying, Copy<T> copy) {
    p.ahead->next = run;
    if (run != p.ahead->end) *run = lines;
    p.copies->next = copying;
    if (copying != p.copies->end) *copying = copy;
}

// A[i,k] at a[i * a_row + k * a_column]; unit_rows: a_row is 1 (the transposed operand of a weight gradient). V: Vec<T>, or for the
// last few columns ShortVec<T>. tail: the last vector has `columns` columns. P: after the C vectors come `columns` more, at most P, which
// rows share. looks: at A, beside, and asks for the rows behind this tile's. Asked for beside the gradients of the step before, as batches
// that no product looks at are, some were gone again when they were read: 784-50-10 took 1 to 2 % longer, 784-50 on 32 rows 2 to 5 %. To
// ask there for a thread's first rows alone gained nothing. fetches: each k asks for B's next columns and, in a weight gradient, for a
// line of p.ahead, and copies one of p.copies.
template <class T, class V, int R, int C, bool unit_rows, bool tail, bool fetches, int P = 0, bool looks = false>
void tile(const Product<T> &p, const T *a, const T *b, T *c, Index columns) {
    V sum[size_t{R}][size_t{C}];
    [[maybe_unused]] SharedColumns<T, R, P> shared;
    constexpr Index width = V::width;
    const Index a_row = unit_rows ? 1 : p.a_row;
    Index c_row = p.c_row;
    if (p.accumulate) {
#pragma GCC unroll 32
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < C; ++v) {
                if constexpr (tail) sum[r][v] = V::load(c + r * c_row + v * width, columns);
                else sum[r][v] = V::load(c + r * c_row + v * width);
            }
        if constexpr (P > 0) shared.load(c + C * width, c_row, columns);
    } else {
#pragma GCC unroll 32
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < C; ++v) sum[r][v] = V::zero();
        if constexpr (P > 0) shared.clear();
    }
    // Three rows share a base pointer: base + {0, 1, 2} · stride is one x86 address, so 14 rows need 5 registers.
    const T *base[size_t{(R + 2) / 3}];
#pragma GCC unroll 16
    for (int g = 0; g < (R + 2) / 3; ++g) base[g] = a + 3 * g * a_row;
    [[maybe_unused]] Lines *run = nullptr, *runs_end = nullptr;
    [[maybe_unused]] Lines lines{};
    [[maybe_unused]] Copy<T> *copying = nullptr, *copies_end = nullptr;
    [[maybe_unused]] Copy<T> copy{};
    if constexpr (fetches && unit_rows) {
        run = p.ahead->next, runs_end = p.ahead->end, lines = run == runs_end ? Lines{} : *run;
        copying = p.copies->next, copies_end = p.copies->end, copy = copying == copies_end ? Copy<T>{} : *copying;
    }
    [[maybe_unused]] const bool stays = unit_rows || p.K <= near_depth;
    for (Index k = 0; k < p.K; ++k) {
        if constexpr (looks)
            if (k % width == 0) {
#pragma GCC unroll 16
                for (int r = 0; r < R; ++r) __builtin_prefetch(base[r / 3] + (r % 3 + R) * a_row, 0, 2);
                look<T, R>(p.seen->lanes, p.K - k, [&](int r) { return base[r / 3] + (r % 3) * a_row; });
            }
        if constexpr (fetches) {
#pragma GCC unroll 8
            for (int v = 0; v < C; ++v) {
                if (stays) __builtin_prefetch(b + (C + v) * width, 0, 3);
                else __builtin_prefetch(b + (C + v) * width, 0, 2);
            }
            if constexpr (unit_rows) {
                if (copy.count > 0 && copy_line(copy) && ++copying != copies_end) copy = *copying;
                if (lines.count > 0) {
                    __builtin_prefetch(lines.first, 0, 2);
                    lines.first += line_bytes;
                    if (--lines.count == 0 && ++run != runs_end) lines = *run;
                }
            }
        }
        V row[size_t{C}];
#pragma GCC unroll 8
        for (int v = 0; v < C; ++v) {
            if constexpr (tail) row[v] = V::load(b + v * width, columns);
            else row[v] = V::load(b + v * width);
        }
        if constexpr (P > 0) shared.take(b + C * width, columns);
#pragma GCC unroll 32
        for (int r = 0; r < R; ++r) {
            const V left = V::broadcast(unit_rows ? a[r] : base[r / 3][(r % 3) * a_row]);
#pragma GCC unroll 8
            for (int v = 0; v < C; ++v) sum[r][v] = fma(left, row[v], sum[r][v]);
            if constexpr (P > 0) shared.multiply(r, left);
        }
        b += p.b_row;
        if constexpr (unit_rows) a += p.a_column;
        else {
#pragma GCC unroll 16
            for (int g = 0; g < (R + 2) / 3; ++g) base[g] += p.a_column;
        }
    }
    if constexpr (unit_rows)
        if (p.descent) {
            Downhill<T> update(*p.descent);
#pragma GCC unroll 32
            for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
                for (int v = 0; v < C; ++v) {
                    if constexpr (tail) update(c + r * c_row + v * width, sum[r][v] + V::zero(), columns);
                    else update(c + r * c_row + v * width, sum[r][v] + V::zero());
                }
            if constexpr (P > 0) shared.update(c + C * width, c_row, columns, update);
            if constexpr (fetches) keep(p, run, lines, copying, copy);
            return;
        }
    asm("" : "+r"(c_row)); // or GCC computes the rows' addresses before the loop and keeps them on the stack
#pragma GCC unroll 32
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < C; ++v) {
            const V element = sum[r][v] + V::zero();
            if constexpr (tail) element.store(c + r * c_row + v * width, columns);
            else element.store(c + r * c_row + v * width);
        }
    if constexpr (P > 0) shared.store(c + C * width, c_row, columns);
    if constexpr (fetches && unit_rows) keep(p, run, lines, copying, copy);
}

template <class T> using Tile = void (*)(const Product<T> &, const T *, const T *, T *, Index);

// tiles<…>[R - 1] computes R rows.
template <class T, class V, int C, bool unit_rows, bool tail, bool fetches, int P, bool looks, int... R> struct TileTable {
    static constexpr Tile<T> rows[] = {tile<T, V, R + 1, C, unit_rows, tail, fetches, P, looks>...};
};
template <class T, class V, int C, bool unit_rows, bool tail, bool fetches, int P, bool looks, int rows>
constexpr const Tile<T> *tiles = TileTable<T, V, C, unit_rows, tail, fetches, P, looks, __integer_pack(rows)...>::rows;

// Most rows of a tile of C vectors such that sums, a row of B and one broadcast fit the register file.
template <int C> constexpr int tile_rows =
    (vector_registers - C - (C > 1 ? 2 : 3)) / C > 14 ? 14 : (vector_registers - C - (C > 1 ? 2 : 3)) / C;

// The same with P columns more that rows share: their sums, a row of B and two factors are in registers too.
template <class T, int C, int P> constexpr int shared_tile_rows =
    (vector_registers - C - 3) * int{ShortVec<T>::width} / (C * int{ShortVec<T>::width} + P);

// The most columns that rows share. None with 16 registers, where tiles of the 4 rows that are left run at 75 GFLOP/s in place of 84.
template <class T> constexpr int shared_columns = vector_registers < 32 ? 0 : int{ShortVec<T>::width} / 2;

// What is done with a line that is written soon: it is asked for, or written with what it holds. A line that another core has read
// stays shared after a prefetch for writing, and the first store to it waits, longest where it is of a whole line
// (bench/micro/shared_lines.cpp): here it waits beside the arithmetic.
struct Fetch {
    template <class T> [[gnu::always_inline]] static void line_at(T *p) { __builtin_prefetch(p, 1, 2); }
};
struct Own {
    template <class T> [[gnu::always_inline]] static void line_at(T *p) {
        volatile T *const element = p;
        *element = *element;
    }
};

// The lines of some rows and columns of a product. Inlined, because GCC 12 drops the call of a function that only prefetches.
template <class Act, class T> [[gnu::always_inline]] inline void lines_of(const Product<T> &p, Index i, Index rows, Index j,
                                                                          Index columns) {
    if (p.along)
        for (Index r = i; r < i + rows; ++r)
            for (Index c = j; c < j + columns; c += line_elements<T>) Act::line_at(p.along + r * p.along_row + c);
    if (p.across)
        for (Index r = (i + line_elements<T> - 1) & -line_elements<T>; r < i + rows; r += line_elements<T>)
            for (Index c = j; c < j + columns && c < p.across_rows; ++c) Act::line_at(p.across + c * p.across_row + r);
}

// Before a tile's arithmetic the lines of its rows are asked for. Where others have read them they are made this core's own instead, and
// the next tile's are asked for. With those of the tile before made so, and none of C, a step of 17-64-64-6 on two threads took 21.1 µs in
// place of 19.4, and 48 in place of 41 where lines pass slowly between the cores.
template <class T> [[gnu::always_inline]] inline void lines_beside_tile(const Product<T> &p, Index i, Index rows, Index next, Index j,
                                                                        Index columns) {
    if (p.others_read_c)
        for (Index r = i; r < i + rows; ++r)
            for (Index c = j; c < j + columns; c += line_elements<T>) Own::line_at(p.c + r * p.c_row + c);
    if (!p.others_read) return lines_of<Fetch>(p, i, rows, j, columns);
    lines_of<Own>(p, i, rows, j, columns);
    lines_of<Fetch>(p, i + rows, next, j, columns);
}

// All M rows of C vectors of columns, of P more that rows share, the rows cut into tiles as equal as possible: no thin tile at the end.
template <class T, int C, bool unit_rows, bool tail, bool fetches = false, class V = Vec<T>, int P = 0, bool looks = false>
void column_block(const Product<T> &p, Index j, Index columns) {
    constexpr int most = P > 0 ? shared_tile_rows<T, C, P> : tile_rows<C>;
    constexpr const Tile<T> *table = tiles<T, V, C, unit_rows, tail, fetches, P, looks, most>;
    const Index written = tail ? columns : P > 0 ? C * V::width + columns : C * V::width;
    if (p.M <= most) { // no division: small networks are full of small products
        lines_beside_tile(p, 0, p.M, 0, j, written);
        return table[p.M - 1](p, p.a, p.b + j, p.c + j, columns);
    }
    const Index count = (p.M + most - 1) / most;
    const Index rows = p.M / count, longer = p.M % count;
    Index i = 0;
    for (Index t = 0; t < count; ++t) {
        const Index R = rows + (t < longer ? 1 : 0);
        lines_beside_tile(p, i, R, t + 1 < count ? R - (t + 1 == longer ? 1 : 0) : 0, j, written);
        table[R - 1](p, p.a + i * p.a_row, p.b + j, p.c + i * p.c_row + j, columns);
        i += R;
    }
}

// C vectors of columns and, where P > 0, `rest` more; of the first columns A may be looked at.
template <class T, int C, bool unit_rows, bool fetches, int P = 0> void whole_block(const Product<T> &p, Index j, Index rest = 0) {
    if constexpr (may_look && !unit_rows && !fetches)
        if (p.seen && j == 0) {
            p.seen->all = true;
            return column_block<T, C, false, false, false, Vec<T>, P, true>(p, j, rest);
        }
    column_block<T, C, unit_rows, false, fetches, Vec<T>, P>(p, j, rest);
}

// The last C vectors and the `rest` columns behind them.
template <class T, int C, bool unit_rows, bool fetches> void shared_block(const Product<T> &p, Index j, Index rest) {
    if (rest <= 2) whole_block<T, C, unit_rows, fetches, 2>(p, j, rest);
    else whole_block<T, C, unit_rows, fetches, shared_columns<T>>(p, j, rest);
}

template <class T, bool unit_rows, bool fetches> void column_blocks(const Product<T> &p) {
    constexpr Index width = Vec<T>::width;
    if (p.M == 0) return; // a narrow product leaves none
    Index j = 0;
    if constexpr (shared_columns<T> > 0)
        if (const Index rest = p.N % width; rest > 0 && rest <= shared_columns<T> && p.N >= 2 * width && p.M > tile_rows<4>) {
            const Index whole = p.N - rest, last = whole / width % 2 == 0 ? 2 * width : 3 * width;
            for (; j < whole - last; j += 2 * width) whole_block<T, 2, unit_rows, fetches>(p, j);
            if (last == 2 * width) shared_block<T, 2, unit_rows, fetches>(p, j, rest);
            else shared_block<T, 3, unit_rows, fetches>(p, j, rest);
            return;
        }
    // Few rows: wide tiles, so that enough chains are under way to hide the latency of an fma.
    if constexpr (tile_rows<8> > 0)
        if (p.M <= tile_rows<8>)
            for (; j + 8 * width <= p.N; j += 8 * width) column_block<T, 8, unit_rows, false>(p, j, 0);
    if constexpr (tile_rows<4> > 0)
        if (p.M <= tile_rows<4>)
            for (; j + 4 * width <= p.N; j += 4 * width) column_block<T, 4, unit_rows, false>(p, j, 0);
    for (; j + 2 * width <= p.N; j += 2 * width) whole_block<T, 2, unit_rows, fetches>(p, j);
    if (j + width <= p.N) {
        column_block<T, 1, unit_rows, false>(p, j, 0);
        j += width;
    }
    if (j == p.N) return;
    if (const Index rest = p.N - j; rest == ShortVec<T>::width) column_block<T, 1, unit_rows, false, false, ShortVec<T>>(p, j, 0);
    else if (rest < ShortVec<T>::width) column_block<T, 1, unit_rows, true, false, ShortVec<T>>(p, j, rest);
    else column_block<T, 1, unit_rows, true>(p, j, rest);
}

// A larger B competes for a core's own cache with A, C and what else a step reads, and its rows lie too far apart for prefetchers, so the
// next columns are asked for; where A is looked at, its rows are. With 1 MiB a step of four layers of 1024 on 1024 rows takes 3 to 5 %
// less on one thread and 5 to 6 % less on two, of 784-512-512-10 0 to 3 %; with 256 KiB, which is less than a thread's share of columns,
// the first takes another 2 % less on two threads, 512-512-512-10 on one. To ask for B's rows 16 ahead is as good.
constexpr Index far_bytes = 256 << 10;

template <class T> void matmul(const Product<T> &p) {
    if (p.N == 0) return;
    if (p.M == 1 && !p.descent && p.K > 0 && p.K <= streamed_depth && p.N >= 16 * Index{Vec<T>::width}) return row_product(p);
    const bool far = !p.seen && p.K * p.N * static_cast<Index>(sizeof(T)) > far_bytes;
    if constexpr (narrow_columns<T> > 0)
        if (!p.descent && is_narrow(p)) {
            if (p.a_column == 1) return column_blocks<T, false, false>(narrow_product<T, false>(p));
            if (p.a_row == 1) return column_blocks<T, true, false>(narrow_product<T, true>(p));
        }
    if (p.a_row != 1) return far ? column_blocks<T, false, true>(p) : column_blocks<T, false, false>(p);
    if (p.ahead && (p.ahead->next != p.ahead->end || p.copies->next != p.copies->end)) column_blocks<T, true, true>(p);
    else column_blocks<T, true, false>(p);
}
