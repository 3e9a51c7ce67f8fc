// A kernel whose arguments are a struct: the struct as a class of Python, its fields as properties.
#pragma once

#include <nanobind/nanobind.h>

#include <string>
#include <type_traits>
#include <utility>

#include "address.h"
#include "unrolled/sequence.h"

namespace unrolled::bindings {

namespace nb = nanobind;

// What the member pointers of `path`, one after the other, lead to.
template <class Struct, class... Members>
auto& reach(Struct& from, Members... path) {
    return (from.*....*path);
}

// The member at the end of `path` as a property: a pointer as its address, a kind of cell as its
// number, anything else as it is.
template <class Struct, class... Members>
void field(nb::class_<Struct>& owner, const char* name, Members... path) {
    using Value = std::remove_reference_t<decltype(reach(std::declval<Struct&>(), path...))>;
    if constexpr (std::is_pointer_v<Value>) {
        owner.def_prop_rw(
            name, [=](Struct& s) { return reinterpret_cast<Address>(reach(s, path...)); },
            [=](Struct& s, Address address) {
                reach(s, path...) = reinterpret_cast<Value>(address);
            });
    } else if constexpr (std::is_enum_v<Value>) {
        owner.def_prop_rw(
            name, [=](Struct& s) { return static_cast<int>(reach(s, path...)); },
            [=](Struct& s, int number) { reach(s, path...) = static_cast<Value>(number); });
    } else {
        owner.def_prop_rw(
            name, [=](Struct& s) { return reach(s, path...); },
            [=](Struct& s, Value value) { reach(s, path...) = value; });
    }
}

// A strided tensor as the properties `name`, `name_time` and `name_row`.
template <class Struct, class... Members>
void strided(nb::class_<Struct>& owner, const std::string& name, Members... path) {
    using Tensor = std::remove_reference_t<decltype(reach(std::declval<Struct&>(), path...))>;
    field(owner, name.c_str(), path..., &Tensor::base);
    field(owner, (name + "_time").c_str(), path..., &Tensor::time);
    field(owner, (name + "_row").c_str(), path..., &Tensor::row);
}

// What a call runs over, as the same properties of every call.
template <class Struct>
void extent(nb::class_<Struct>& owner, Extent Struct::* of) {
    field(owner, "cell", of, &Extent::cell);
    field(owner, "steps", of, &Extent::steps);
    field(owner, "batch", of, &Extent::batch);
    field(owner, "input", of, &Extent::input);
    field(owner, "hidden", of, &Extent::hidden);
    field(owner, "output", of, &Extent::output);
    field(owner, "reverse", of, &Extent::reverse);
    field(owner, "threads", of, &Extent::threads);
    field(owner, "lengths", of, &Extent::lengths);
    field(owner, "batch_sizes", of, &Extent::batch_sizes);
    strided(owner, "starts", of, &Extent::starts);
}

template <class Call>
void define(nb::module_& m, const char* name, void (*kernel)(const Call&), const char* doc) {
    m.def(name, kernel, nb::arg("call"), nb::call_guard<nb::gil_scoped_release>(), doc);
}

}  // namespace unrolled::bindings
