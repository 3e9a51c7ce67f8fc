// What the two passes of the sequence oracle share: where things lie, in which order the steps of a
// row run, zoneout and layer normalisation.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "unrolled/sequence.h"

namespace unrolled::oracle {

using Vector = std::vector<double>;

struct State {
    Vector h, c;  // (P), and (H) for an LSTM
};

inline std::int64_t gates_of(CellKind cell) {
    return cell == CellKind::lstm ? 4 : cell == CellKind::gru ? 3 : 1;
}

// What stands of an array at `offset`, or null where there is no array.
template <class Real>
Real* at_offset(Real* array, std::int64_t offset) {
    return array ? array + offset : nullptr;
}

// Row `index` of a dense array, or zeros where there is none.
inline Vector row_of(const double* array, std::int64_t index, std::int64_t width) {
    return array ? Vector(array + index * width, array + (index + 1) * width) : Vector(width, 0.0);
}

class Layout {
  public:
    explicit Layout(const Extent& extent) : e(extent) {
        for (std::int64_t t = 0; t < e.steps; ++t) {
            first.push_back(places);
            places += rows(t);
        }
    }

    // Rows that have a place at step t.
    std::int64_t rows(std::int64_t t) const { return e.batch_sizes ? e.batch_sizes[t] : e.batch; }

    std::int64_t length(std::int64_t b) const {
        if (e.lengths) return e.lengths[b];
        std::int64_t steps = 0;
        while (steps < e.steps && b < rows(steps)) ++steps;
        return steps;
    }

    std::int64_t place(std::int64_t t, std::int64_t b) const { return first[t] + b; }

    // The step that row b takes as its k-th, in the layer's own direction.
    std::int64_t step(std::int64_t b, std::int64_t k) const {
        return e.reverse ? length(b) - 1 - k : k;
    }

    // Whether the state is cut where it enters the k-th step of row b: between t - 1 and t, where
    // starts is set at t. In reverse that is the way into step t - 1.
    bool cut(std::int64_t b, std::int64_t k) const {
        const std::int64_t t = step(b, k) + (e.reverse ? 1 : 0);
        return e.starts.base && t < length(b) && *at(e.starts, t, b);
    }

    // Step t of row b of a tensor of the caller.
    template <class Element>
    Element* at(const Strided<Element>& tensor, std::int64_t t, std::int64_t b) const {
        return e.batch_sizes ? tensor.base + place(t, b) * tensor.row
                             : tensor.base + t * tensor.time + b * tensor.row;
    }

  private:
    const Extent& e;
    std::vector<std::int64_t> first;  // place(t, 0)
    std::int64_t places = 0;
};

// The share of the old state that unit `index` of an (N, ...) mask keeps, or `rate` without a mask.
inline double zoneout(const std::uint8_t* mask, double rate, std::int64_t index) {
    return mask ? mask[index] : rate;
}

// z * kept + (1 - z) * fresh; what has no share is not seen, be it infinite.
inline double blend(double z, double kept, double fresh) {
    return z == 0.0 ? fresh : z == 1.0 ? kept : z * kept + (1.0 - z) * fresh;
}

// The sums that layer normalisation takes together.
struct Group {
    std::int64_t begin, size;
};

inline std::vector<Group> groups_of(const Extent& e) {
    if (e.cell == CellKind::gru) return {{0, 2 * e.hidden}, {2 * e.hidden, e.hidden}};
    return {{0, gates_of(e.cell) * e.hidden}};
}

struct Stats {
    double mean, scale;  // scale = 1 / sqrt(var + epsilon)
};

inline Stats stats_of(const double* a, std::int64_t size, double epsilon) {
    double sum = 0.0, squares = 0.0;
    for (std::int64_t k = 0; k < size; ++k) sum += a[k];
    const double mean = sum / size;
    for (std::int64_t k = 0; k < size; ++k) squares += (a[k] - mean) * (a[k] - mean);
    return {mean, 1.0 / std::sqrt(squares / size + epsilon)};
}

// From dL/dn to dL/da, in place, where n = (a - mean(a)) * scale.
inline void normalise_backward(const double* n, double scale, std::int64_t size, double* d) {
    double sum = 0.0, along = 0.0;
    for (std::int64_t k = 0; k < size; ++k) {
        sum += d[k];
        along += d[k] * n[k];
    }
    for (std::int64_t k = 0; k < size; ++k) d[k] = scale * (d[k] - (sum + n[k] * along) / size);
}

}  // namespace unrolled::oracle
