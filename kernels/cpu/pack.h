// Weights laid out as the tiles read them.
#pragma once

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

// Rows of `matrix` (gates * units, size) as columns: a block has the gates of `unit_vecs` vectors
// of units, gate after gate.
template <class Real>
void pack_units(const Real* matrix, int gates, std::int64_t units, int unit_vecs,
                const Layout<Real>& layout, std::int64_t from, std::int64_t to, Real* data) {
    constexpr int L = kLanes<Real>;
    for (std::int64_t block = from; block < to; ++block) {
        Real* out = data + block * layout.block_elements();
        for (int vec = 0; vec < gates * unit_vecs; ++vec) {
            const std::int64_t unit = (block * unit_vecs + vec % unit_vecs) * L;
            const Real* source = matrix + ((vec / unit_vecs) * units + unit) * layout.size;
            const int panel = vec / layout.vecs;
            Real* column = out + (panel * layout.size * layout.vecs + vec % layout.vecs) * L;
            const std::int64_t step = layout.vecs * L;
            const std::int64_t left = units - unit;
            const int count = left >= L ? L : left > 0 ? static_cast<int>(left) : 0;
            // In squares of k, so that each line of the source is used up while it is at hand.
            for (std::int64_t k0 = 0; k0 < layout.size; k0 += 16) {
                const std::int64_t k1 = k0 + 16 < layout.size ? k0 + 16 : layout.size;
                for (int lane = 0; lane < count; ++lane) {
                    const Real* row = source + lane * layout.size;
                    for (std::int64_t k = k0; k < k1; ++k) column[k * step + lane] = row[k];
                }
                for (int lane = count; lane < L; ++lane) {
                    for (std::int64_t k = k0; k < k1; ++k) column[k * step + lane] = 0;
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

template <class Real>
Panels<Real> panels_of(const Layout<Real>& layout, const Real* data) {
    return {data,          layout.size,
            layout.vecs,   layout.panels_a_block,
            layout.blocks, layout.size * layout.vecs * kLanes<Real>};
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
