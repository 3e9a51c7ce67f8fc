#include "unrolled/lstm_step.h"

#include <cmath>

#include "plain.h"

namespace unrolled::oracle {

void lstm_step(const LstmStep<double>& s) {
    const std::int64_t I = s.input, H = s.hidden;
    for (std::int64_t b = 0; b < s.batch; ++b) {
        const auto before_gate = [&](std::int64_t row) {
            return dot(s.weight_ih + row * I, s.x + b * I, I) + at(s.bias_ih, row) +
                   dot(s.weight_hh + row * H, s.h + b * H, H) + at(s.bias_hh, row);
        };
        for (std::int64_t j = 0; j < H; ++j) {
            const double i = sigmoid(before_gate(j));
            const double f = sigmoid(before_gate(H + j));
            const double g = std::tanh(before_gate(2 * H + j));
            const double o = sigmoid(before_gate(3 * H + j));
            const double c = f * s.c[b * H + j] + i * g;
            s.c_out[b * H + j] = c;
            s.h_out[b * H + j] = o * std::tanh(c);
        }
    }
}

}  // namespace unrolled::oracle
