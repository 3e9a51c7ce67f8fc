#include "unrolled/sequence.h"

#include "fields.h"

namespace nb = nanobind;
using namespace nb::literals;
using unrolled::bindings::define;
using unrolled::bindings::extent;
using unrolled::bindings::field;
using unrolled::bindings::strided;

namespace {

template <class Real>
void define_forward(nb::module_& m, const char* name) {
    using Forward = unrolled::Forward<Real>;
    using Weights = unrolled::Weights<Real>;
    using Masks = unrolled::Masks<Real>;
    using Kept = unrolled::Kept<Real>;
    nb::class_<Forward> call(
        m, name,
        "Arguments of a forward call (sequence.h), its structs laid flat; all 0 at first.");
    call.def(nb::init<>());
    call.def(nb::init<const Forward&>(), "other"_a, "A copy, to fill in further.");

    extent(call, &Forward::extent);

    field(call, "weight_ih", &Forward::weights, &Weights::ih);
    field(call, "weight_hh", &Forward::weights, &Weights::hh);
    field(call, "bias_ih", &Forward::weights, &Weights::bias_ih);
    field(call, "bias_hh", &Forward::weights, &Weights::bias_hh);
    field(call, "weight_hr", &Forward::weights, &Weights::hr);
    field(call, "peephole", &Forward::weights, &Weights::peephole);
    field(call, "gain_ih", &Forward::weights, &Weights::gain_ih);
    field(call, "gain_hh", &Forward::weights, &Weights::gain_hh);
    field(call, "norm_c", &Forward::weights, &Weights::norm_c);
    field(call, "epsilon", &Forward::weights, &Weights::epsilon);

    field(call, "zoneout_h", &Forward::masks, &Masks::zoneout_h);
    field(call, "zoneout_c", &Forward::masks, &Masks::zoneout_c);
    field(call, "rate_h", &Forward::masks, &Masks::rate_h);
    field(call, "rate_c", &Forward::masks, &Masks::rate_c);
    field(call, "recurrent_mask", &Forward::masks, &Masks::recurrent);

    strided(call, "x", &Forward::x);
    field(call, "h0", &Forward::h0);
    field(call, "c0", &Forward::c0);
    strided(call, "y", &Forward::y);
    field(call, "hn", &Forward::hn);
    field(call, "cn", &Forward::cn);

    field(call, "gates", &Forward::kept, &Kept::gates);
    field(call, "cells", &Forward::kept, &Kept::cells);
    field(call, "normed_ih", &Forward::kept, &Kept::normed_ih);
    field(call, "normed_hh", &Forward::kept, &Kept::normed_hh);
    field(call, "scale_ih", &Forward::kept, &Kept::scale_ih);
    field(call, "scale_hh", &Forward::kept, &Kept::scale_hh);
    field(call, "stats_c", &Forward::kept, &Kept::stats_c);
}

template <class Real>
void define_backward(nb::module_& m, const char* name) {
    using Backward = unrolled::Backward<Real>;
    nb::class_<Backward> call(
        m, name, "Arguments of a backward call (sequence.h), laid flat; all 0 at first.");
    call.def(nb::init<>());
    call.def_rw("forward", &Backward::forward, "The forward call; copied where it is assigned.");

    strided(call, "dy", &Backward::dy);
    field(call, "dhn", &Backward::dhn);
    field(call, "dcn", &Backward::dcn);
    field(call, "dcells", &Backward::dcells);
    field(call, "dgates", &Backward::dgates);

    strided(call, "dx", &Backward::dx);
    field(call, "dh0", &Backward::dh0);
    field(call, "dc0", &Backward::dc0);
    field(call, "d_weight_ih", &Backward::d_ih);
    field(call, "d_weight_hh", &Backward::d_hh);
    field(call, "d_bias_ih", &Backward::d_bias_ih);
    field(call, "d_bias_hh", &Backward::d_bias_hh);
    field(call, "d_weight_hr", &Backward::d_hr);
    field(call, "d_peephole", &Backward::d_peephole);
    field(call, "d_gain_ih", &Backward::d_gain_ih);
    field(call, "d_gain_hh", &Backward::d_gain_hh);
    field(call, "d_norm_c", &Backward::d_norm_c);
    field(call, "dh", &Backward::dh);
    field(call, "dc", &Backward::dc);
}

}  // namespace

void init_sequence(nb::module_& m) {
    define_forward<float>(m, "Forward32");
    define_forward<double>(m, "Forward64");
    define_backward<float>(m, "Backward32");
    define_backward<double>(m, "Backward64");

    define(m, "forward", unrolled::forward<float>,
           "A recurrent layer over time, in one direction (sequence.h).");
    define(m, "forward", unrolled::forward<double>, "The same in float64.");
    define(m, "backward", unrolled::backward<float>,
           "The gradients of a recurrent layer over time, in one direction (sequence.h).");
    define(m, "backward", unrolled::backward<double>, "The same in float64.");
    define(m, "oracle_forward", unrolled::oracle::forward,
           "A recurrent layer over time in plain loops: what the fast forward is tested against.");
    define(m, "oracle_backward", unrolled::oracle::backward,
           "Its gradients in plain loops: what the fast backward is tested against.");
}
