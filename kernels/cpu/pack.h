// Weights laid out as the tiles read them.
#pragma once

#if defined(__clang__)
#include <utility>
#endif

#include "tile.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

UNROLLED_INLINE std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// How many vectors make a panel for `columns` columns without a structure: as wide as fits, and
// with as little empty space as can be.
template <class Real>
inline __attribute__((always_inline)) int plain_vecs(std::int64_t columns) {
    const std::int64_t vecs = ceil_div(columns, kLanes<Real>);
    return static_cast<int>(ceil_div(vecs, ceil_div(vecs, kPlainVecs)));
}

// The shape of a packed matrix; `elements` is what its data takes.
template <class Real>
struct Layout {
    std::int64_t size;  // k runs over so many
    int vecs;           // vectors of a panel
    int panels_a_block;
    std::int64_t blocks;

    std::int64_t block_elements() const { return size * vecs * panels_a_block * kLanes<Real>; }
    std::int64_t elements() const { return blocks * block_elements(); }
};

// The halves of two vectors, lane by lane in turns: the first halves (0) or the second ones (1).
template <class Real, int kHalf>
UNROLLED_INLINE Vec<Real> interleave(Vec<Real> a, Vec<Real> b) {
    constexpr int L = kLanes<Real>;
#if defined(__clang__)
    return [&]<int... k>(std::integer_sequence<int, k...>) {
        return __builtin_shufflevector(a, b, (kHalf * L / 2 + k / 2 + (k % 2) * L)...);
    }(std::make_integer_sequence<int, L>());
#else
    typename VecOf<Real>::Index index;
    for (int k = 0; k < L; ++k) index[k] = kHalf * L / 2 + k / 2 + (k % 2) * L;
    return __builtin_shuffle(a, b, index);
#endif
}

// Turns a square of L vectors: each round of interleaving takes one bit of a lane's number to its
// row's, and log2(L) rounds exchange them all.
template <class Real>
UNROLLED_INLINE void transpose(Vec<Real> (&rows)[kLanes<Real>]) {
    constexpr int L = kLanes<Real>;
#pragma GCC unroll 4
    for (int round = 1; round < L; round *= 2) {
        Vec<Real> turned[L];
#pragma GCC unroll 8
        for (int k = 0; k < L / 2; ++k) {
            turned[2 * k] = interleave<Real, 0>(rows[k], rows[k + L / 2]);
            turned[2 * k + 1] = interleave<Real, 1>(rows[k], rows[k + L / 2]);
        }
#pragma GCC unroll 16
        for (int k = 0; k < L; ++k) rows[k] = turned[k];
    }
}

// Rows of `matrix` (gates * units, size) as columns: a block has the gates of `unit_vecs` vectors
// of units, gate after gate.
template <class Real>
void pack_units(const Real* matrix, int gates, std::int64_t units, int unit_vecs,
                const Layout<Real>& layout, std::int64_t from, std::int64_t to, Real* data) {
    constexpr int L = kLanes<Real>;
    const std::int64_t size = layout.size, step = layout.vecs * L;
    for (std::int64_t block = from; block < to; ++block) {
        Real* out = data + block * layout.block_elements();
        for (int vec = 0; vec < gates * unit_vecs; ++vec) {
            const std::int64_t unit = (block * unit_vecs + vec % unit_vecs) * L;
            const Real* source = matrix + ((vec / unit_vecs) * units + unit) * size;
            Real* column = out + ((vec / layout.vecs) * size * layout.vecs + vec % layout.vecs) * L;
            const std::int64_t left = units - unit;
            const int count = left >= L ? L : left > 0 ? static_cast<int>(left) : 0;
            for (std::int64_t k = 0; k < size; k += L) {
                const int lanes = size - k < L ? static_cast<int>(size - k) : L;
                Vec<Real> square[L];
#pragma GCC unroll 16
                for (int row = 0; row < L; ++row) {
                    square[row] =
                        row < count ? load_some(source + row * size + k, lanes) : Vec<Real>{};
                }
                transpose<Real>(square);
                if (lanes == L) {
#pragma GCC unroll 16
                    for (int row = 0; row < L; ++row) store(column + (k + row) * step, square[row]);
                } else {
                    for (int row = 0; row < lanes; ++row)
                        store(column + (k + row) * step, square[row]);
                }
            }
        }
    }
}

// `matrix` (size, columns) as it stands; k = 0 is row `first`, and after the last row comes row 0.
template <class Real>
void pack_columns(const Real* matrix, std::int64_t columns, std::int64_t first,
                  const Layout<Real>& layout, std::int64_t from, std::int64_t to, Real* data) {
    constexpr int L = kLanes<Real>;
    for (std::int64_t block = from; block < to; ++block) {
        Real* out = data + block * layout.block_elements();
        for (std::int64_t k = 0; k < layout.size; ++k) {
            const Real* row =
                matrix + (k + first < layout.size ? k + first : k + first - layout.size) * columns;
            for (int vec = 0; vec < layout.vecs; ++vec, out += L) {
                const std::int64_t column = (block * layout.vecs + vec) * L;
                const std::int64_t left = columns - column;
                store(out, left >= L  ? load(row + column)
                           : left > 0 ? load_first(row + column, static_cast<int>(left))
                                      : Vec<Real>{});
            }
        }
    }
}

template <class Real, class Stored>
Panels<Stored> panels_of(const Layout<Real>& layout, const Stored* data) {
    const std::int64_t pitch = layout.vecs * kLanes<Real>;
    return {data,          layout.size,         layout.vecs, layout.panels_a_block,
            layout.blocks, layout.size * pitch, pitch};
}

// `matrix` (size, columns) read as panels where it stands, which pays for a few rows: to pack it
// costs as much as to multiply with it.
template <class Real>
Panels<Real> panels_in_place(const Layout<Real>& layout, const Real* matrix, std::int64_t columns) {
    return {matrix, layout.size, layout.vecs, 1, layout.blocks, layout.vecs * kLanes<Real>,
            columns};
}

// Whether it may be: no panel reaches beyond the last column.
template <class Real>
bool fits_in_place(const Layout<Real>& layout, std::int64_t columns) {
    return columns == layout.blocks * layout.vecs * kLanes<Real>;
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
