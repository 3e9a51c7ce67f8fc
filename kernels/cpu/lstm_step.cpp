#include "unrolled/lstm_step.h"

#include "products.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

namespace {

constexpr int kGates = 4;

// What goes into the gates of kUnits hidden units from j on, for kRows rows of the batch from b on;
// no bias yet.
template <int kUnits, int kRows>
inline __attribute__((always_inline)) void before_gates(
    const LstmStep<float>& s, std::int64_t b, std::int64_t j, int lane,
    float (&out)[kGates][kRows][kLanes<float>]) {
    const float* from_input[kGates * kUnits];
    const float* from_state[kGates * kUnits];
#pragma GCC unroll 8
    for (int r = 0; r < kGates * kUnits; ++r) {
        const std::int64_t row = (r / kUnits) * s.hidden + j + r % kUnits;
        from_input[r] = s.weight_ih + row * s.input;
        from_state[r] = s.weight_hh + row * s.hidden;
    }
    Products<kGates * kUnits, kRows> products = {};
    products.add(from_input, s.x + b * s.input, s.input, s.input);
    products.add(from_state, s.h + b * s.hidden, s.hidden, s.hidden);
#pragma GCC unroll 8
    for (int r = 0; r < kGates * kUnits; ++r) {
#pragma GCC unroll 8
        for (int c = 0; c < kRows; ++c) {
            out[r / kUnits][c][lane + r % kUnits] = products.total(r, c);
        }
    }
}

// `count` hidden units from j on, for kRows rows of the batch from b on.
template <int kRows>
inline void tile(const LstmStep<float>& s, const Vec<float> (&bias)[kGates], std::int64_t b,
                 std::int64_t j, int count) {
    constexpr int kUnits = kRows == 1 ? 2 : 1;  // 8 sums at once either way
    float gates[kGates][kRows][kLanes<float>] = {};
    int lane = 0;
    for (; lane + kUnits <= count; lane += kUnits) {
        before_gates<kUnits, kRows>(s, b, j + lane, lane, gates);
    }
    for (; lane < count; ++lane) before_gates<1, kRows>(s, b, j + lane, lane, gates);

    for (int row = 0; row < kRows; ++row) {
        const std::int64_t at = (b + row) * s.hidden + j;
        const Vec<float> i = sigmoid(load(gates[0][row]) + bias[0]);
        const Vec<float> f = sigmoid(load(gates[1][row]) + bias[1]);
        const Vec<float> g = tanh(load(gates[2][row]) + bias[2]);
        const Vec<float> o = sigmoid(load(gates[3][row]) + bias[3]);
        const Vec<float> c = f * load_some(s.c + at, count) + i * g;
        store_some(s.c_out + at, c, count);
        store_some(s.h_out + at, o * tanh(c), count);
    }
}

}  // namespace

void lstm_step(const LstmStep<float>& s) {
    // Units outside, batch inside: a tile's weights are read from memory once and serve every row.
    for (std::int64_t j = 0; j < s.hidden; j += kLanes<float>) {
        const int count =
            s.hidden - j < kLanes<float> ? static_cast<int>(s.hidden - j) : kLanes<float>;
        Vec<float> bias[kGates];
        for (int gate = 0; gate < kGates; ++gate) {
            const std::int64_t at = gate * s.hidden + j;
            bias[gate] = load_or_zero(s.bias_ih, at, count) + load_or_zero(s.bias_hh, at, count);
        }
        std::int64_t b = 0;
        for (; b + 2 <= s.batch; b += 2) tile<2>(s, bias, b, j, count);
        if (b < s.batch) tile<1>(s, bias, b, j, count);
    }
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
