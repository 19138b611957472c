// Views: non-owning windows on row-major memory. Aggregates without functions, so that kernel files compiled with wider
// instruction sets can include them and still export a single symbol.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace ganglion {

using Index = ptrdiff_t;

template <class T> struct MatrixView {
    T *data;       // (rows, columns), element [r, c] at data[r * stride + c]
    Index rows;    // as used, not as allocated
    Index columns; // without padding
    Index stride;  // elements from one row to the next
};

} // namespace ganglion
