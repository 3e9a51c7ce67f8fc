#include "unrolled/gru_step.h"

#include <nanobind/nanobind.h>

#include "address.h"

namespace nb = nanobind;
using namespace nb::literals;
using unrolled::bindings::Address;
using unrolled::bindings::at;

namespace {

template <class Real, void kernel(const unrolled::GruStep<Real>&)>
void define(nb::module_& m, const char* name, const char* doc) {
    m.def(
        name,
        [](std::int64_t batch, std::int64_t input, std::int64_t hidden, Address x, Address h,
           Address weight_ih, Address weight_hh, Address bias_ih, Address bias_hh, Address h_out) {
            kernel({batch, input, hidden, at<const Real>(x), at<const Real>(h),
                    at<const Real>(weight_ih), at<const Real>(weight_hh), at<const Real>(bias_ih),
                    at<const Real>(bias_hh), at<Real>(h_out)});
        },
        "batch"_a, "input"_a, "hidden"_a, "x"_a, "h"_a, "weight_ih"_a, "weight_hh"_a, "bias_ih"_a,
        "bias_hh"_a, "h_out"_a, nb::call_guard<nb::gil_scoped_release>(), doc);
}

}  // namespace

void init_gru_step(nb::module_& m) {
    define<float, unrolled::gru_step>(m, "gru_step",
                                      "One step of a GRU on float32 arrays (gru_step.h).");
    define<double, unrolled::oracle::gru_step>(
        m, "oracle_gru_step", "The same in plain loops on float64 arrays: the fast step's oracle.");
}
