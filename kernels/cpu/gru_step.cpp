#include "unrolled/gru_step.h"

#include "products.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

namespace {

constexpr int kGates = 3;

// One side of the gates (input or state): weights (3H, size) by kRows vectors (size,), for kUnits
// hidden units from j on; no bias yet. The sides stay apart, since r multiplies only what comes
// from the state.
template <int kUnits, int kRows>
inline __attribute__((always_inline)) void one_side(const float* weight, const float* vectors,
                                                    std::int64_t size, std::int64_t hidden,
                                                    std::int64_t j, int lane,
                                                    float (&out)[kGates][kRows][kLanes<float>]) {
    const float* rows[kGates * kUnits];
#pragma GCC unroll 8
    for (int r = 0; r < kGates * kUnits; ++r) {
        rows[r] = weight + ((r / kUnits) * hidden + j + r % kUnits) * size;
    }
    Products<kGates * kUnits, kRows> products = {};
    products.add(rows, vectors, size, size);
#pragma GCC unroll 8
    for (int r = 0; r < kGates * kUnits; ++r) {
#pragma GCC unroll 8
        for (int c = 0; c < kRows; ++c) {
            out[r / kUnits][c][lane + r % kUnits] = products.total(r, c);
        }
    }
}

template <int kUnits, int kRows>
inline __attribute__((always_inline)) void both_sides(
    const GruStep<float>& s, std::int64_t b, std::int64_t j, int lane,
    float (&from_input)[kGates][kRows][kLanes<float>],
    float (&from_state)[kGates][kRows][kLanes<float>]) {
    one_side<kUnits, kRows>(s.weight_ih, s.x + b * s.input, s.input, s.hidden, j + lane, lane,
                            from_input);
    one_side<kUnits, kRows>(s.weight_hh, s.h + b * s.hidden, s.hidden, s.hidden, j + lane, lane,
                            from_state);
}

struct Biases {
    Vec<float> input[kGates];
    Vec<float> state[kGates];
};

// `count` hidden units from j on, for kRows rows of the batch from b on.
template <int kRows>
inline void tile(const GruStep<float>& s, const Biases& bias, std::int64_t b, std::int64_t j,
                 int count) {
    constexpr int kUnits = kRows == 1 ? 2 : 1;  // 6 sums at once either way
    float from_input[kGates][kRows][kLanes<float>] = {};
    float from_state[kGates][kRows][kLanes<float>] = {};
    int lane = 0;
    for (; lane + kUnits <= count; lane += kUnits) {
        both_sides<kUnits, kRows>(s, b, j, lane, from_input, from_state);
    }
    for (; lane < count; ++lane) both_sides<1, kRows>(s, b, j, lane, from_input, from_state);

    for (int row = 0; row < kRows; ++row) {
        const auto input = [&](int gate) { return load(from_input[gate][row]) + bias.input[gate]; };
        const auto state = [&](int gate) { return load(from_state[gate][row]) + bias.state[gate]; };
        const std::int64_t at = (b + row) * s.hidden + j;
        const Vec<float> r = sigmoid(input(0) + state(0));
        const Vec<float> z = sigmoid(input(1) + state(1));
        const Vec<float> n = tanh(input(2) + r * state(2));
        const Vec<float> h = load_some(s.h + at, count);
        store_some(s.h_out + at, (1.0f - z) * n + z * h, count);
    }
}

}  // namespace

void gru_step(const GruStep<float>& s) {
    // Units outside, batch inside: a tile's weights are read from memory once and serve every row.
    for (std::int64_t j = 0; j < s.hidden; j += kLanes<float>) {
        const int count =
            s.hidden - j < kLanes<float> ? static_cast<int>(s.hidden - j) : kLanes<float>;
        Biases bias;
        for (int gate = 0; gate < kGates; ++gate) {
            const std::int64_t at = gate * s.hidden + j;
            bias.input[gate] = load_or_zero(s.bias_ih, at, count);
            bias.state[gate] = load_or_zero(s.bias_hh, at, count);
        }
        std::int64_t b = 0;
        for (; b + 2 <= s.batch; b += 2) tile<2>(s, bias, b, j, count);
        if (b < s.batch) tile<1>(s, bias, b, j, count);
    }
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
