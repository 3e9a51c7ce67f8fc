#include "attention_backward.h"
#include "attention_forward.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <class Real>
void attention_forward_of(const AttentionForward<Real>& call, Scratch& scratch) {
    AttentionForwardPass<Real>(call, scratch).run();
}

template <class Real>
void attention_backward_of(const AttentionBackward<Real>& call, Scratch& scratch) {
    AttentionBackwardPass<Real>(call, scratch).run();
}

template void attention_forward_of(const AttentionForward<float>&, Scratch&);
template void attention_forward_of(const AttentionForward<double>&, Scratch&);
template void attention_backward_of(const AttentionBackward<float>&, Scratch&);
template void attention_backward_of(const AttentionBackward<double>&, Scratch&);

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
