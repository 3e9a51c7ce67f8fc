#include "unrolled/top_tokens.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "plain.h"

namespace unrolled::oracle {

void top_tokens(const TopTokens<double, double>& call) {
    const std::int64_t V = call.vocabulary, E = call.output;
    for (std::int64_t r = 0; r < call.rows; ++r) {
        std::vector<double> x(V);
        for (std::int64_t v = 0; v < V; ++v) {
            const double unit = call.row ? call.row[r] * call.scale[v] : 1.0;
            x[v] = unit * call.products[r * V + v] + at(call.bias, v);
        }
        std::vector<std::int64_t> order(V);
        std::iota(order.begin(), order.end(), 0);
        const auto better = [&](std::int64_t a, std::int64_t b) { return x[a] > x[b]; };
        std::stable_sort(order.begin(), order.end(), better);
        if (call.o) {
            order.resize(call.candidates);
            for (const std::int64_t v : order)
                x[v] = dot(call.o + r * E, call.weight + v * E, E) + at(call.bias, v);
            std::sort(order.begin(), order.end());
            std::stable_sort(order.begin(), order.end(), better);
        }
        const double largest = *std::max_element(x.begin(), x.end());
        double total = 0.0;
        for (const double of : x) total += std::exp(of - largest);
        for (std::int64_t i = 0; i < call.top; ++i) {
            call.tokens[r * call.top + i] = order[i];
            call.values[r * call.top + i] = x[order[i]] - largest - std::log(total);
        }
    }
}

}  // namespace unrolled::oracle
