#include "minimal_backward.h"
#include "minimal_forward.h"
#include "place_sums.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

namespace {

template <class Real, int kGates>
void backward(const MinimalBackward<Real>& call, const Plan& plan, Scratch& scratch) {
    MinimalBackwardPass<Real, kGates> pass(call, plan, scratch);
    pass.run();
    const MinimalForward<Real>& f = call.forward;
    const std::int64_t rows = kGates * f.extent.hidden;
    PlaceSums<Real> places(plan, pass.workers(), f.extent.input, scratch);
    places.add(
        {rows, f.extent.input, 0, call.d_weight, call.d_bias},
        [&](std::int64_t place) { return call.dsums + place * rows; },
        [&](std::int64_t t, std::int64_t rank, std::int64_t) { return at(f.x, plan, t, rank); },
        [](std::int64_t) -> const Real* { return nullptr; });
}

}  // namespace

template <class Real>
void minimal_forward_of(const MinimalForward<Real>& call, const Plan& plan, Scratch& scratch) {
    if (call.extent.cell == CellKind::gru) {
        MinimalForwardPass<Real, 2>(call, plan, scratch).run();
    } else {
        MinimalForwardPass<Real, 3>(call, plan, scratch).run();
    }
}

template <class Real>
void minimal_backward_of(const MinimalBackward<Real>& call, const Plan& plan, Scratch& scratch) {
    if (call.forward.extent.cell == CellKind::gru) {
        backward<Real, 2>(call, plan, scratch);
    } else {
        backward<Real, 3>(call, plan, scratch);
    }
}

template void minimal_forward_of(const MinimalForward<float>&, const Plan&, Scratch&);
template void minimal_forward_of(const MinimalForward<double>&, const Plan&, Scratch&);
template void minimal_backward_of(const MinimalBackward<float>&, const Plan&, Scratch&);
template void minimal_backward_of(const MinimalBackward<double>&, const Plan&, Scratch&);

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
