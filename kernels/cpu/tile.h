// The inner loop of every product: a few rows times one panel of packed weights.
#pragma once

#include "vec.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// How a product is summed up.
enum class Sums {
    grouped,  // number (r, k) is rows[r][k]
    lone,     // the same for a call of one row: it has too few sums to hide an addition's latency,
              // so the steps of k take turns in several sets of them
    columns,  // number (r, k) is rows[k][r]: the product with a transposed matrix
};

// Weights stand as numbers of the product's own type, or narrower (see half.h).
UNROLLED_INLINE Vec<float> load_weights(const float* from) { return load(from); }
UNROLLED_INLINE Vec<double> load_weights(const double* from) { return load(from); }

// out[r][v] = sum over k of number (r, k) * panel[k][v], for kRows rows and kVecs vectors. From one
// k of the panel to the next it is `pitch` elements. k begins at `offset` in the rows; by columns
// it is the first r that does. With `more` the products are added to what is there.
//
// GCC keeps the sums in registers only where every loop but that over k is unrolled and the tile is
// a function of its own: on AVX2 that is worth a factor of 2.5.
template <class Real, int kRows, int kVecs, int kSets, bool kByColumns, class Stored = Real>
__attribute__((noinline)) void tile(const Real* const* rows, const Stored* __restrict panel,
                                    std::int64_t pitch, std::int64_t size, std::int64_t offset,
                                    bool more, Real* __restrict out) {
    constexpr int L = kLanes<Real>;
    const Real* row[kRows];
    Vec<Real> sums[kSets][kRows][kVecs];
    if constexpr (!kByColumns) {
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) row[r] = rows[r] + offset;
    }
#pragma GCC unroll 4
    for (int s = 0; s < kSets; ++s) {
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
            for (int v = 0; v < kVecs; ++v) sums[s][r][v] = Vec<Real>{};
        }
    }
    std::int64_t k = 0;
#pragma GCC unroll 1
    for (; k + kSets <= size; k += kSets) {
#pragma GCC unroll 4
        for (int s = 0; s < kSets; ++s) {
            Vec<Real> weights[kVecs];
#pragma GCC unroll 4
            for (int v = 0; v < kVecs; ++v) weights[v] = load_weights(panel + s * pitch + v * L);
            const Real* column = kByColumns ? rows[k + s] + offset : nullptr;
#pragma GCC unroll 16
            for (int r = 0; r < kRows; ++r) {
                const Vec<Real> number = broadcast(kByColumns ? column[r] : row[r][k + s]);
#pragma GCC unroll 4
                for (int v = 0; v < kVecs; ++v) sums[s][r][v] += number * weights[v];
            }
        }
        panel += kSets * pitch;
    }
    if constexpr (kSets > 1) {
#pragma GCC unroll 1
        for (; k < size; ++k, panel += pitch) {
#pragma GCC unroll 16
            for (int r = 0; r < kRows; ++r) {
                const Vec<Real> number = broadcast(row[r][k]);
#pragma GCC unroll 4
                for (int v = 0; v < kVecs; ++v)
                    sums[0][r][v] += number * load_weights(panel + v * L);
            }
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < kVecs; ++v) {
            Vec<Real> total = sums[0][r][v];
#pragma GCC unroll 4
            for (int s = 1; s < kSets; ++s) total += sums[s][r][v];
            Real* to = out + (r * kVecs + v) * L;
            store(to, more ? load(to) + total : total);
        }
    }
}

template <class Real, class Stored = Real>
using Tile = void (*)(const Real* const* rows, const Stored* panel, std::int64_t pitch,
                      std::int64_t size, std::int64_t offset, bool more, Real* out);

// The widest panel of a matrix without a structure of its own, in vectors; and the most rows that
// go with a panel of so many: what fits into the registers beside the weights and one number of a
// row.
constexpr int kPlainVecs = kRegisters == 32 ? 4 : 2;

UNROLLED_INLINE int max_rows(int vecs) {
    if (kRegisters == 32) return vecs == 4 ? 6 : vecs == 3 ? 8 : 12;
    return vecs == 3 ? 4 : vecs == 2 ? 6 : 8;
}
constexpr int kMaxRows = kRegisters == 32 ? 12 : 8;

// The tile for so many rows, at most max_rows(vecs).
template <class Real, class Stored = Real>
Tile<Real, Stored> tile_of(int rows, int vecs, Sums sums);

// A matrix as panels: panel p holds, for each k, `vecs` vectors of columns, zeros where there is no
// column. A block is `panels_a_block` panels that are used together.
template <class Stored>
struct Panels {
    const Stored* data;
    std::int64_t size;  // k runs over so many
    int vecs;
    int panels_a_block;
    std::int64_t blocks;
    std::int64_t step;   // elements from one panel to the next
    std::int64_t pitch;  // and from one k to the next
};

// So many products are added up in one go: rounding grows with the length of a sum, and sums of
// sums keep a product over thousands of k as precise as PyTorch's.
constexpr std::int64_t kStretch = 128;

// Calls use(block, first, rows, out) for each block in [from, to) and each group of at most
// max_rows rows in [begin, begin + count): out[panel][row][vec] is the product of these rows with
// the block. The sum of one element does not depend on how rows are grouped. Goes through the
// blocks from the last to the first where `backwards`.
template <class Real, class Stored, class Use>
inline __attribute__((always_inline)) void multiply(const Panels<Stored>& w, std::int64_t from,
                                                    std::int64_t to, const Real* const* rows,
                                                    std::int64_t begin, std::int64_t count,
                                                    Sums sums, Use use, bool backwards = false) {
    constexpr int L = kLanes<Real>;
    alignas(kBytes) Real out[kMaxRows * 4 * L];
    if (count <= 0) return;
    const std::int64_t most = max_rows(w.vecs), groups = (count + most - 1) / most;
    const std::int64_t each = count / groups, larger = count % groups;
    const Tile<Real, Stored> small = tile_of<Real, Stored>(static_cast<int>(each), w.vecs, sums);
    const Tile<Real, Stored> large =
        larger ? tile_of<Real, Stored>(static_cast<int>(each + 1), w.vecs, sums) : small;
    for (std::int64_t turn = from; turn < to; ++turn) {
        const std::int64_t block = backwards ? to - 1 - (turn - from) : turn;
        std::int64_t first = begin;
        for (std::int64_t group = 0; group < groups; ++group) {
            const std::int64_t n = each + (group < larger);
            const Tile<Real, Stored> run = group < larger ? large : small;
            for (int p = 0; p < w.panels_a_block; ++p) {
                const Stored* panel = w.data + (block * w.panels_a_block + p) * w.step;
                Real* to = out + p * n * w.vecs * L;
                if (sums == Sums::columns) {
                    run(rows, panel, w.pitch, w.size, first, false, to);
                    continue;
                }
                std::int64_t k = 0;
                do {
                    const std::int64_t next = k + kStretch < w.size ? k + kStretch : w.size;
                    run(rows + first, panel + k * w.pitch, w.pitch, next - k, k, k > 0, to);
                    k = next;
                } while (k < w.size);
            }
            use(block, first, static_cast<int>(n), out);
            first += n;
        }
    }
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
