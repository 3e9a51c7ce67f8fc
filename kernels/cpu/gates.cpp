#include "unrolled/gates.h"

#include "bfloat16.h"
#include "row.h"
#include "scratch.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

namespace {

template <CellKind kCell>
void rows(const Gates<float, Bfloat16>& call, Scratch& scratch) {
    const std::int64_t H = call.hidden, all = gates_of(kCell) * H;
    constexpr bool kGru = kCell == CellKind::gru;
    // The reset of a GRU stands before the last part of b_hh, which goes with its product.
    const std::int64_t shared = kGru ? 2 * H : all;
    Common<float> common = {};
    common.hidden = H;
    if (kGru && call.bias_hh) common.bias_hn = call.bias_hh + shared;

    float* input = scratch.take<float>(columns_of(kCell) * H);
    for (std::int64_t b = 0; b < call.batch; ++b) {
        const Bfloat16 *p = call.input + b * all, *s = call.state + b * all;
        const auto add = [&](std::int64_t from, std::int64_t size,
                             const float* bias_hh) __attribute__((always_inline)) {
            for_vectors<float>(size, [&](std::int64_t k, int count) __attribute__((always_inline)) {
                const std::int64_t j = from + k;
                const Vec<float> bias =
                    load_or_zero(call.bias_ih, j, count) + load_or_zero(bias_hh, j, count);
                store_some(input + first_column(kCell) * H + j, load_bfloat16(p + j, count) + bias,
                           count);
            });
        };
        add(0, shared, call.bias_hh);
        add(shared, all - shared, nullptr);

        Row<float> row = {};
        row.gates = input;
        row.h_before = call.h + b * H;
        row.out = call.h_out + b * H;
        if constexpr (kCell == CellKind::lstm) {
            row.c_before = call.c + b * H;
            row.cell = call.c_out + b * H;
        }
        for_vectors<float>(H, [&](std::int64_t j, int count) __attribute__((always_inline)) {
            plain_units<kCell>(row, common, j, count, static_cast<float*>(nullptr),
                               [&](int gate) __attribute__((always_inline)) {
                                   return load_bfloat16(s + gate * H + j, count);
                               });
        });
    }
}

}  // namespace

void gates(const Gates<float, Bfloat16>& call, Scratch& scratch) {
    switch (call.cell) {
        case CellKind::rnn_tanh:
            return rows<CellKind::rnn_tanh>(call, scratch);
        case CellKind::rnn_relu:
            return rows<CellKind::rnn_relu>(call, scratch);
        case CellKind::gru:
            return rows<CellKind::gru>(call, scratch);
        case CellKind::lstm:
            return rows<CellKind::lstm>(call, scratch);
    }
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
