#include "scan_backward.h"
#include "scan_forward.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <class Real>
void scan_forward_of(const ScanForward<Real>& call, const Plan& plan, Scratch& scratch) {
    if (call.complex) {
        ScanForwardPass<Real, true>(call, plan, scratch).run();
    } else {
        ScanForwardPass<Real, false>(call, plan, scratch).run();
    }
}

template <class Real>
void scan_backward_of(const ScanBackward<Real>& call, const Plan& plan, Scratch& scratch) {
    if (call.forward.complex) {
        ScanBackwardPass<Real, true>(call, plan, scratch).run();
    } else {
        ScanBackwardPass<Real, false>(call, plan, scratch).run();
    }
}

template void scan_forward_of(const ScanForward<float>&, const Plan&, Scratch&);
template void scan_forward_of(const ScanForward<double>&, const Plan&, Scratch&);
template void scan_backward_of(const ScanBackward<float>&, const Plan&, Scratch&);
template void scan_backward_of(const ScanBackward<double>&, const Plan&, Scratch&);

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
