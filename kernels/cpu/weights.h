// Gradients of the weights of a recurrent layer.
#pragma once

#include "backward.h"
#include "place_sums.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

// All gradients of the weights that `call` wants, from what the backward pass left behind.
template <class Real, CellKind kCell>
void weight_gradients(const Backward<Real>& call, const BackwardPass<Real, kCell>& pass,
                      const Plan& plan, Scratch& scratch) {
    const Forward<Real>& f = call.forward;
    const Extent& e = f.extent;
    constexpr bool kGru = kCell == CellKind::gru;
    const bool normed = f.weights.gain_ih != nullptr;
    const std::int64_t H = e.hidden, P = e.output, rows = gates_of(kCell) * H;
    std::int64_t widest = e.input > P ? e.input : P;
    if (H > widest) widest = H;
    PlaceSums<Real> places(plan, workers_of(e, gates_of(kCell)), widest, scratch);

    const auto input = [&](std::int64_t t, std::int64_t rank, std::int64_t) {
        return at(f.x, plan, t, rank);
    };
    const auto state = [&](std::int64_t t, std::int64_t rank, std::int64_t) {
        return pass.h_before(t, rank);
    };
    const auto none = [](std::int64_t) -> const Real* { return nullptr; };
    const auto mask = [&](std::int64_t rank) -> const Real* {
        return f.masks.recurrent ? f.masks.recurrent + plan.row[rank] * P : nullptr;
    };
    const auto by_input = [&](std::int64_t place) { return pass.slopes_ih(place); };
    const auto by_state = [&](std::int64_t place) { return pass.slopes_hh(place); };
    // The biases stand outside layer normalisation, so their slopes are those of the gates' sums.
    const auto gates_ih = [&](std::int64_t place) { return pass.gate_slopes_ih(place); };
    const auto gates_hh = [&](std::int64_t place) { return pass.gate_slopes_hh(place); };
    const std::int64_t turned = kGru ? 2 * H : 0, turn = normed ? 0 : turned;

    // But in a GRU, both biases have one gradient.
    Real* bias_ih = !kGru && !call.d_bias_ih ? call.d_bias_hh : call.d_bias_ih;
    Real* bias_hh = kGru ? call.d_bias_hh : nullptr;
    places.add({rows, e.input, 0, call.d_ih, normed ? nullptr : bias_ih}, by_input, input, none);
    places.add({rows, P, turn, call.d_hh, normed ? nullptr : bias_hh}, by_state, state, mask);
    if (normed) {
        places.add({rows, 1, 0, nullptr, bias_ih}, gates_ih, input, none);
        places.add({rows, 1, turned, nullptr, bias_hh}, gates_hh, state, none);
    }
    if (!kGru && call.d_bias_ih && call.d_bias_hh) {
        __builtin_memcpy(call.d_bias_hh, bias_ih, static_cast<std::size_t>(rows) * sizeof(Real));
    }
    if (f.weights.hr) {
        const auto output = [&](std::int64_t, std::int64_t, std::int64_t place) {
            return pass.outputs(place);
        };
        const auto by_output = [&](std::int64_t place) { return pass.d_outputs(place); };
        places.add({P, H, 0, call.d_hr, nullptr}, by_output, output, none);
    }
}

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
