// One layer in one direction for one cell, on the instruction set of the file that includes this.
#pragma once

#include "backward.h"
#include "forward.h"
#include "weights.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <class Real, CellKind kCell>
void forward_of(const Forward<Real>& call, const Plan& plan, Scratch& scratch) {
    ForwardPass<Real, kCell>(call, plan, scratch).run();
}

template <class Real, CellKind kCell>
void backward_of(const Backward<Real>& call, const Plan& plan, Scratch& scratch) {
    BackwardPass<Real, kCell> pass(call, plan, scratch);
    pass.run();
    weight_gradients(call, pass, plan, scratch);
}

#define UNROLLED_SEQUENCE_OF(cell)                                                         \
    template void forward_of<float, cell>(const Forward<float>&, const Plan&, Scratch&);   \
    template void forward_of<double, cell>(const Forward<double>&, const Plan&, Scratch&); \
    template void backward_of<float, cell>(const Backward<float>&, const Plan&, Scratch&); \
    template void backward_of<double, cell>(const Backward<double>&, const Plan&, Scratch&);

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
