#include "unrolled/gates.h"

#include <nanobind/nanobind.h>

#include "address.h"

namespace nb = nanobind;
using namespace nb::literals;
using unrolled::bindings::Address;
using unrolled::bindings::at;

namespace {

template <class Real, class Product, void kernel(const unrolled::Gates<Real, Product>&)>
void define(nb::module_& m, const char* name, const char* doc) {
    m.def(
        name,
        [](int cell, std::int64_t batch, std::int64_t hidden, Address input, Address state,
           Address bias_ih, Address bias_hh, Address h, Address c, Address h_out, Address c_out) {
            kernel({static_cast<unrolled::CellKind>(cell), batch, hidden, at<const Product>(input),
                    at<const Product>(state), at<const Real>(bias_ih), at<const Real>(bias_hh),
                    at<const Real>(h), at<const Real>(c), at<Real>(h_out), at<Real>(c_out)});
        },
        "cell"_a, "batch"_a, "hidden"_a, "input"_a, "state"_a, "bias_ih"_a, "bias_hh"_a, "h"_a,
        "c"_a, "h_out"_a, "c_out"_a, nb::call_guard<nb::gil_scoped_release>(), doc);
}

}  // namespace

void init_gates(nb::module_& m) {
    define<float, unrolled::Bfloat16, unrolled::gates>(
        m, "gates", "From products in bfloat16 to the state after a step, float32 (gates.h).");
    define<double, double, unrolled::oracle::gates>(
        m, "oracle_gates", "The same in plain loops on float64 arrays: the fast code's oracle.");
}
