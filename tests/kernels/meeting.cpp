// Threads that meet after each step, for the thread sanitizer (`make sanitize`): a recurrent layer
// with its units shared among threads, forward and backward, against the same on one thread.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "../../kernels/cpu/scratch.h"
#include "../../kernels/cpu/team.h"

namespace unrolled::generic {
template <class Real, CellKind kCell>
void forward_of(const Forward<Real>&, const Plan&, Scratch&);
template <class Real, CellKind kCell>
void backward_of(const Backward<Real>&, const Plan&, Scratch&);
}  // namespace unrolled::generic

namespace {

constexpr std::int64_t T = 60, I = 5, H = 160;

std::vector<float> numbers(std::size_t count, unsigned seed) {
    std::vector<float> v(count);
    for (float& x : v) {
        seed = seed * 1664525u + 1013904223u;
        x = static_cast<float>(seed >> 8) / (1 << 24) * 0.2f - 0.1f;
    }
    return v;
}

// y, then dx: of one call on so many threads.
std::vector<float> run(int threads) {
    const auto x = numbers(T * I, 1), ih = numbers(3 * H * I, 2), hh = numbers(3 * H * H, 3),
               dy = numbers(T * H, 4);
    std::vector<float> y(T * H), hn(H), gates(T * 4 * H), result(T * H + T * I), d_hh(3 * H * H);
    unrolled::Forward<float> forward{};
    forward.extent = {unrolled::CellKind::gru, T, 1, I, H, H, false, threads, nullptr, nullptr, {}};
    forward.weights.ih = ih.data();
    forward.weights.hh = hh.data();
    forward.x = {x.data(), I, I};
    forward.y = {y.data(), H, H};
    forward.hn = hn.data();
    forward.kept.gates = gates.data();
    {
        unrolled::Scratch scratch;
        const unrolled::Plan plan = unrolled::make_plan(forward.extent, scratch);
        unrolled::generic::forward_of<float, unrolled::CellKind::gru>(forward, plan, scratch);
    }
    std::memcpy(result.data(), y.data(), y.size() * sizeof(float));
    unrolled::Backward<float> backward{};
    backward.forward = forward;
    backward.dy = {dy.data(), H, H};
    backward.dgates = gates.data();
    backward.dx = {result.data() + T * H, I, I};
    backward.d_hh = d_hh.data();
    unrolled::Scratch scratch;
    const unrolled::Plan plan = unrolled::make_plan(forward.extent, scratch);
    unrolled::generic::backward_of<float, unrolled::CellKind::gru>(backward, plan, scratch);
    return result;
}

}  // namespace

int main() {
    const std::vector<float> alone = run(1);
    for (int threads = 2; threads <= 4; ++threads) {
        for (int again = 0; again < 3; ++again) {
            // After a crowded call the next ones keep to one thread for a while.
            std::this_thread::sleep_for(std::chrono::milliseconds(250));
            const std::vector<float> shared = run(threads);
            if (std::memcmp(alone.data(), shared.data(), alone.size() * sizeof(float)) != 0) {
                std::printf("meeting: %d threads give other bits than one\n", threads);
                return 1;
            }
        }
    }
    std::printf("meeting: 2 to 4 threads give the bits of one\n");
    return 0;
}
