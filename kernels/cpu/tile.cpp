#include "tile.h"

#include "half.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

namespace {

// The tile for `rows` rows, found by walking down from the most that fit.
template <class Real, class Stored, int kVecs, int kRows>
Tile<Real, Stored> down_from(int rows, bool by_columns) {
    if (rows == kRows) {
        // Only numbers of the product's own type come by columns.
        if constexpr (sizeof(Real) == sizeof(Stored)) {
            if (by_columns) return tile<Real, kRows, kVecs, 1, true, Stored>;
        }
        return tile<Real, kRows, kVecs, 1, false, Stored>;
    }
    if constexpr (kRows > 1) return down_from<Real, Stored, kVecs, kRows - 1>(rows, by_columns);
    return nullptr;
}

}  // namespace

template <class Real, class Stored>
Tile<Real, Stored> tile_of(int rows, int vecs, Sums sums) {
    constexpr bool kWide = kRegisters == 32;
    const bool by_columns = sums == Sums::columns;
    if (sums == Sums::lone && rows == 1) {
        if (vecs == 1) return tile<Real, 1, 1, 4, false, Stored>;
        if (vecs == 2) return tile<Real, 1, 2, 4, false, Stored>;
        if (vecs == 3) return tile<Real, 1, 3, (kWide ? 3 : 2), false, Stored>;
        if constexpr (kWide) return tile<Real, 1, 4, 2, false, Stored>;
    }
    if (vecs == 1) return down_from<Real, Stored, 1, kWide ? 12 : 8>(rows, by_columns);
    if (vecs == 2) return down_from<Real, Stored, 2, kWide ? 12 : 6>(rows, by_columns);
    if (vecs == 3) return down_from<Real, Stored, 3, kWide ? 8 : 4>(rows, by_columns);
    if constexpr (kWide) return down_from<Real, Stored, 4, 6>(rows, by_columns);
    return nullptr;
}

double run_tiles(std::int64_t times) {
    constexpr int kSize = 128;
    constexpr int kRows = 6;
    alignas(kBytes) static thread_local float rows[kRows][kSize];
    alignas(kBytes) static thread_local float panel[kSize * kPlainVecs * kLanes<float>];
    alignas(kBytes) float out[kRows * kPlainVecs * kLanes<float>];
    const float* each[kRows];
    for (int r = 0; r < kRows; ++r) each[r] = rows[r];
    // As the products call it: a copy made for these very numbers would be another function.
    const volatile Tile<float> chosen = tile_of<float>(kRows, kPlainVecs, Sums::grouped);
    const Tile<float> run = chosen;
    for (std::int64_t k = 0; k < times; ++k) {
        run(each, panel, kPlainVecs * kLanes<float>, kSize, 0, false, out);
        asm volatile("" ::"r"(out) : "memory");  // else one run stands for all
    }
    return 2.0 * kRows * kPlainVecs * kLanes<float> * kSize * static_cast<double>(times);
}

template Tile<float> tile_of<float>(int, int, Sums);
template Tile<double> tile_of<double>(int, int, Sums);
template Tile<float, Half> tile_of<float, Half>(int, int, Sums);

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
