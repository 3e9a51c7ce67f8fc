#include "stream.h"

#include "half.h"
#include "pack.h"
#include "row.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

namespace {

constexpr int L = kLanes<float>;

UNROLLED_INLINE void store_weights(float* to, Vec<float> v) { store(to, v); }

UNROLLED_INLINE int lanes_at(std::int64_t j, std::int64_t units) {
    return units - j < L ? static_cast<int>(units - j) : L;
}

UNROLLED_INLINE Layout<float> layout_of(const PackedMatrix& m) {
    return {m.size, m.vecs, m.panels_a_block, m.blocks};
}

template <class Stored>
PackedMatrix layout(int gates, std::int64_t units, std::int64_t size) {
    PackedMatrix m = {};
    m.gates = gates;
    m.units = units;
    m.size = size;
    m.unit_vecs = gates == 1 ? plain_vecs<float>(units) : 1;
    m.vecs = gates == 1 ? m.unit_vecs : gates == 3 ? 3 : kPlainVecs;
    m.panels_a_block = gates * m.unit_vecs / m.vecs;
    m.blocks = ceil_div(units, m.unit_vecs * L);
    m.elements = m.blocks * m.panels_a_block * size * m.vecs * L;
    m.bytes = static_cast<std::size_t>(m.elements) * sizeof(Stored);
    return m;
}

template <class Stored>
void pack(const PackedMatrix& to, const float* matrix, float* panels) {
    pack_units(matrix, to.gates, to.units, to.unit_vecs, layout_of(to), 0, to.blocks, panels);
    Stored* data = static_cast<Stored*>(to.data);
    for (std::int64_t k = 0; k < to.elements; k += L) store_weights(data + k, load(panels + k));
}

// The product of `batch` rows with all of a matrix; `use` and `backwards` as in multiply.
template <class Stored, class Use>
UNROLLED_INLINE void product(const PackedMatrix& m, const float* const* rows, std::int64_t batch,
                             bool backwards, Use use) {
    multiply<float>(panels_of(layout_of(m), static_cast<const Stored*>(m.data)), 0, m.blocks, rows,
                    0, batch, batch == 1 ? Sums::lone : Sums::grouped, use, backwards);
}

// The same plus the bias, written to where to(r) says that the result for row r begins.
template <class Stored, class To>
UNROLLED_INLINE void product_to(const PackedMatrix& m, const float* const* rows, std::int64_t batch,
                                bool backwards, const float* bias, To to) {
    product<Stored>(
        m, rows, batch, backwards,
        [&](std::int64_t block, std::int64_t first, int n,
            const float* out) __attribute__((always_inline)) {
            for (int vec = 0; vec < m.gates * m.unit_vecs; ++vec) {
                const std::int64_t j = (block * m.unit_vecs + vec % m.unit_vecs) * L;
                if (j >= m.units) continue;
                const int count = lanes_at(j, m.units);
                const std::int64_t from = (vec / m.unit_vecs) * m.units + j;
                const Vec<float> shift = load_or_zero(bias, from, count);
                const float* sums = out + (vec / m.vecs) * n * m.vecs * L + (vec % m.vecs) * L;
                for (int r = 0; r < n; ++r) {
                    store_some(to(first + r) + from, load(sums + r * m.vecs * L) + shift, count);
                }
            }
        });
}

template <class Stored>
void dense(const PackedMatrix& matrix, const float* const* rows, std::int64_t batch,
           const float* bias, float* out) {
    product_to<Stored>(matrix, rows, batch, false, bias,
                       [&](std::int64_t b) { return out + b * matrix.units; });
}

template <CellKind kCell>
void normalise_groups(const PackedLayer& layer, float* a) {
    for (int group = 0; group < groups_of(kCell); ++group) {
        normalise(a + group * 2 * layer.hidden, gates_of_group(kCell, group) * layer.hidden,
                  layer.epsilon);
    }
}

template <CellKind kCell, class Stored>
void project(const PackedLayer& layer, const float* const* rows, std::int64_t count, bool backwards,
             float* gates) {
    const std::int64_t H = layer.hidden, all = gates_of(kCell) * H;
    const auto to = [&](std::int64_t b) {
        return gates + (b * columns_of(kCell) + first_column(kCell)) * H;
    };
    product_to<Stored>(layer.ih, rows, count, backwards, layer.normed ? nullptr : layer.bias, to);
    if (!layer.normed) return;
    for (std::int64_t b = 0; b < count; ++b) {
        float* a = to(b);
        normalise_groups<kCell>(layer, a);
        for_vectors<float>(all, [&](std::int64_t j, int count) __attribute__((always_inline)) {
            store_some(a + j,
                       load_some(layer.gain_ih + j, count) * load_some(a + j, count) +
                           load_some(layer.bias + j, count),
                       count);
        });
    }
}

template <CellKind kCell, class Stored>
class Step {
    static constexpr int kGates = gates_of(kCell);
    static constexpr bool kLstm = kCell == CellKind::lstm;

  public:
    Step(const PackedLayer& layer, const LayerMemory& memory, std::int64_t batch, int now)
        : layer_(layer), memory_(memory), batch_(batch), now_(now) {
        common_ = {layer.hidden, false, layer.rate_h, layer.rate_c, layer.bias_hn, layer.peephole};
    }

    void run() {
        if (layer_.joined) {
            plain(layer_.ih, 0);
        } else if (layer_.normed) {
            normed();
        } else {
            plain(layer_.hh, layer_.input);
        }
        if (layer_.hr.data) project_output();
    }

  private:
    // Every other step goes through the weights from the end: those that it read last, and only
    // those, are still in the caches. At H = 256 that saves a fifth of the time.
    bool backwards() const { return now_ == 1; }

    float* operand(int which, std::int64_t b) const {
        return memory_.operands[which] + b * (layer_.input + layer_.output);
    }

    // Where the rows of a product begin in this step's operands.
    const float* const* rows_from(std::int64_t offset) const {
        for (std::int64_t b = 0; b < batch_; ++b) memory_.rows[b] = operand(now_, b) + offset;
        return memory_.rows;
    }

    float* gates(std::int64_t b) const {
        return memory_.gates + b * columns_of(kCell) * layer_.hidden;
    }

    inline __attribute__((always_inline)) Row<float> row(std::int64_t b) const {
        Row<float> row = {};
        // Where the product takes the input along, what is left of its part is the bias.
        row.gates = layer_.joined ? layer_.bias : gates(b);
        row.h_before = operand(now_, b) + layer_.input;
        row.out = operand(1 - now_, b) + layer_.input;
        if constexpr (kLstm) row.c_before = row.cell = memory_.cells + b * layer_.hidden;
        return row;
    }

    float* output(std::int64_t b) const {
        return memory_.outputs ? memory_.outputs + b * layer_.hidden : nullptr;
    }

    // From the product with the operands from `offset` on to the state, a block of units at a time.
    void plain(const PackedMatrix& m, std::int64_t offset) {
        const std::int64_t H = layer_.hidden;
        product<Stored>(
            m, rows_from(offset), batch_, backwards(),
            [&](std::int64_t block, std::int64_t first, int n,
                const float* out) __attribute__((always_inline)) {
                for (int r = 0; r < n; ++r) {
                    const Row<float> at = row(first + r);
                    for (int u = 0; u < m.unit_vecs; ++u) {
                        const std::int64_t j = (block * m.unit_vecs + u) * L;
                        if (j >= H) break;
                        const float* sums = out + (r * m.vecs + u) * L;
                        const auto sum = [&](int gate) __attribute__((always_inline)) {
                            constexpr int kVecs = kCell == CellKind::gru ? 3 : kPlainVecs;
                            return load(sums + (gate / kVecs) * n * kVecs * L + (gate % kVecs) * L);
                        };
                        if (H - j >= L) {
                            plain_units<kCell>(at, common_, j, L, output(first + r), sum);
                        } else {
                            plain_units<kCell>(at, common_, j, lanes_at(j, H), output(first + r),
                                               sum);
                        }
                    }
                }
            });
    }

    // With layer normalisation: the whole product, then row by row.
    void normed() {
        const auto sums = [&](std::int64_t b) { return memory_.sums + b * kGates * layer_.hidden; };
        product_to<Stored>(layer_.hh, rows_from(layer_.input), batch_, backwards(), nullptr, sums);
        for (std::int64_t b = 0; b < batch_; ++b) {
            normalise_groups<kCell>(layer_, sums(b));
            normed_units<kCell>(row(b), common_, layer_.gain_hh, layer_.norm_c, layer_.epsilon,
                                sums(b), memory_.candidate, output(b));
        }
    }

    void project_output() {
        const PackedMatrix& m = layer_.hr;
        for (std::int64_t b = 0; b < batch_; ++b) memory_.rows[b] = output(b);
        product<Stored>(m, memory_.rows, batch_, backwards(),
                        [&](std::int64_t block, std::int64_t first, int n, const float* out)
                            __attribute__((always_inline)) {
                                for (int r = 0; r < n; ++r) {
                                    for (int vec = 0; vec < m.vecs; ++vec) {
                                        const std::int64_t j = (block * m.vecs + vec) * L;
                                        if (j >= m.units) break;
                                        put_h(row(first + r), common_, j, lanes_at(j, m.units),
                                              load(out + (r * m.vecs + vec) * L));
                                    }
                                }
                            });
    }

    const PackedLayer& layer_;
    const LayerMemory& memory_;
    const std::int64_t batch_;
    const int now_;
    Common<float> common_;
};

template <CellKind kCell, class Stored>
void advance(const PackedLayer& layer, const LayerMemory& memory, std::int64_t batch, int now) {
    Step<kCell, Stored>(layer, memory, batch, now).run();
}

template <class Stored>
constexpr StreamKernels kKernels = {
    layout<Stored>,
    pack<Stored>,
    {project<CellKind::rnn_tanh, Stored>, project<CellKind::rnn_relu, Stored>,
     project<CellKind::gru, Stored>, project<CellKind::lstm, Stored>},
    {advance<CellKind::rnn_tanh, Stored>, advance<CellKind::rnn_relu, Stored>,
     advance<CellKind::gru, Stored>, advance<CellKind::lstm, Stored>},
    dense<Stored>,
};

}  // namespace

const StreamKernels& stream_kernels(Precision precision) {
    return precision == Precision::float16 ? kKernels<Half> : kKernels<float>;
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
