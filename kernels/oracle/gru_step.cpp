#include "unrolled/gru_step.h"

#include <cmath>

#include "plain.h"

namespace unrolled::oracle {

void gru_step(const GruStep<double>& s) {
    const std::int64_t I = s.input, H = s.hidden;
    for (std::int64_t b = 0; b < s.batch; ++b) {
        const auto from_input = [&](std::int64_t row) {
            return dot(s.weight_ih + row * I, s.x + b * I, I) + at(s.bias_ih, row);
        };
        const auto from_state = [&](std::int64_t row) {
            return dot(s.weight_hh + row * H, s.h + b * H, H) + at(s.bias_hh, row);
        };
        for (std::int64_t j = 0; j < H; ++j) {
            const double r = sigmoid(from_input(j) + from_state(j));
            const double z = sigmoid(from_input(H + j) + from_state(H + j));
            const double n = std::tanh(from_input(2 * H + j) + r * from_state(2 * H + j));
            s.h_out[b * H + j] = (1.0 - z) * n + z * s.h[b * H + j];
        }
    }
}

}  // namespace unrolled::oracle
