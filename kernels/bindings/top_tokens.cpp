#include "unrolled/top_tokens.h"

#include <nanobind/nanobind.h>

#include "address.h"

namespace nb = nanobind;
using namespace nb::literals;
using unrolled::bindings::Address;
using unrolled::bindings::at;

namespace {

template <class Real, class Product, void kernel(const unrolled::TopTokens<Real, Product>&)>
void define(nb::module_& m, const char* name, const char* doc) {
    m.def(
        name,
        [](std::int64_t rows, std::int64_t vocabulary, std::int64_t top, std::int64_t candidates,
           std::int64_t output, int threads, Address products, Address row, Address scale,
           Address bias, Address o, Address weight, Address values, Address tokens) {
            kernel({rows, vocabulary, top, candidates, output, threads, at<const Product>(products),
                    at<const Real>(row), at<const Real>(scale), at<const Real>(bias),
                    at<const Real>(o), at<const Real>(weight), at<Real>(values),
                    at<std::int64_t>(tokens)});
        },
        "rows"_a, "vocabulary"_a, "top"_a, "candidates"_a, "output"_a, "threads"_a, "products"_a,
        "row"_a, "scale"_a, "bias"_a, "o"_a, "weight"_a, "values"_a, "tokens"_a,
        nb::call_guard<nb::gil_scoped_release>(), doc);
}

}  // namespace

void init_top_tokens(nb::module_& m) {
    define<float, float, unrolled::top_tokens<float>>(
        m, "top_tokens", "The best few of each row of scores, float32 (top_tokens.h).");
    define<float, std::int32_t, unrolled::top_tokens<std::int32_t>>(
        m, "top_tokens_int32", "The same where the products are int32.");
    define<double, double, unrolled::oracle::top_tokens>(
        m, "oracle_top_tokens",
        "The same in plain loops on float64 arrays: the fast code's oracle.");
}
