#include "unrolled/gates.h"

#include <algorithm>
#include <cmath>

#include "plain.h"

namespace unrolled::oracle {

void gates(const Gates<double, double>& call) {
    const std::int64_t H = call.hidden;
    const bool lstm = call.cell == CellKind::lstm, gru = call.cell == CellKind::gru;
    const std::int64_t all = (lstm ? 4 : gru ? 3 : 1) * H;
    for (std::int64_t b = 0; b < call.batch; ++b) {
        const auto G = [&](std::int64_t j) {
            return call.input[b * all + j] + at(call.bias_ih, j);
        };
        const auto R = [&](std::int64_t j) {
            return call.state[b * all + j] + at(call.bias_hh, j);
        };
        for (std::int64_t j = 0; j < H; ++j) {
            double& h = call.h_out[b * H + j];
            if (lstm) {
                const double i = sigmoid(G(j) + R(j)), f = sigmoid(G(H + j) + R(H + j));
                const double g = std::tanh(G(2 * H + j) + R(2 * H + j));
                const double c = f * call.c[b * H + j] + i * g;
                call.c_out[b * H + j] = c;
                h = sigmoid(G(3 * H + j) + R(3 * H + j)) * std::tanh(c);
            } else if (gru) {
                const double r = sigmoid(G(j) + R(j)), z = sigmoid(G(H + j) + R(H + j));
                const double n = std::tanh(G(2 * H + j) + r * R(2 * H + j));
                h = (1.0 - z) * n + z * call.h[b * H + j];
            } else {
                const double sum = G(j) + R(j);
                h = call.cell == CellKind::rnn_tanh ? std::tanh(sum) : sum <= 0.0 ? 0.0 : sum;
            }
        }
    }
}

}  // namespace unrolled::oracle
