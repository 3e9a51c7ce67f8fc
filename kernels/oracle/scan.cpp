#include "unrolled/scan.h"

#include <algorithm>
#include <complex>

#include "sequence.h"

namespace unrolled::oracle {
namespace {

using Number = std::complex<double>;  // a real one has no imaginary part
using Numbers = std::vector<Number>;

std::int64_t width_of(const ScanForward<double>& call) {
    return (call.complex ? 2 : 1) * call.extent.hidden;
}

// The H numbers from `from` on, or zeros where there is no array.
Numbers read(const ScanForward<double>& call, const double* from) {
    Numbers units(call.extent.hidden);
    for (std::int64_t j = 0; j < call.extent.hidden && from; ++j)
        units[j] = call.complex ? Number(from[2 * j], from[2 * j + 1]) : Number(from[j]);
    return units;
}

void write(const ScanForward<double>& call, const Numbers& units, double* to) {
    for (std::int64_t j = 0; j < call.extent.hidden && to; ++j) {
        if (call.complex) {
            to[2 * j] = units[j].real();
            to[2 * j + 1] = units[j].imag();
        } else {
            to[j] = units[j].real();
        }
    }
}

// a, or its gradient, at step t of row b.
template <class Element>
Element* factor_at(const ScanForward<double>& call, const Layout& layout, Strided<Element> a,
                   std::int64_t row_stride, std::int64_t t, std::int64_t b) {
    if (!a.base || call.factors == Factors::units) return a.base;
    return call.factors == Factors::rows ? a.base + b * row_stride : layout.at(a, t, b);
}

// The state that entered the k-th step of row b.
Numbers entering(const ScanForward<double>& call, const Layout& layout, std::int64_t b,
                 std::int64_t k) {
    if (layout.cut(b, k)) return read(call, nullptr);
    if (k == 0) return read(call, at_offset(call.h0, b * width_of(call)));
    return read(call, layout.at(call.y, layout.step(b, k - 1), b));
}

}  // namespace

void scan_forward(const ScanForward<double>& call) {
    const Extent& e = call.extent;
    const std::int64_t width = width_of(call);
    const Layout layout(e);
    for (std::int64_t b = 0; b < e.batch; ++b) {
        const std::int64_t length = layout.length(b);
        Numbers h = read(call, at_offset(call.h0, b * width));
        for (std::int64_t k = 0; k < length; ++k) {
            const std::int64_t t = layout.step(b, k);
            const Numbers a = read(call, factor_at(call, layout, call.a, call.a.row, t, b));
            const Numbers in = read(call, layout.at(call.b, t, b));
            h = entering(call, layout, b, k);
            for (std::int64_t j = 0; j < e.hidden; ++j) h[j] = a[j] * h[j] + in[j];
            write(call, h, layout.at(call.y, t, b));
        }
        for (std::int64_t t = length; t < e.steps && b < layout.rows(t); ++t)
            std::fill_n(layout.at(call.y, t, b), width, 0.0);
        write(call, h, call.hn + b * width);
    }
}

void scan_backward(const ScanBackward<double>& call) {
    const ScanForward<double>& f = call.forward;
    const Extent& e = f.extent;
    const std::int64_t width = width_of(f);
    const Layout layout(e);
    if (call.da.base && f.factors != Factors::places)
        std::fill_n(call.da.base, (f.factors == Factors::rows ? e.batch : 1) * width, 0.0);
    for (std::int64_t b = 0; b < e.batch; ++b) {
        const std::int64_t length = layout.length(b);
        Numbers g = read(f, at_offset(call.dhn, b * width));
        for (std::int64_t k = length - 1; k >= 0; --k) {
            const std::int64_t t = layout.step(b, k);
            const Numbers come = read(f, call.dy.base ? layout.at(call.dy, t, b) : nullptr);
            const Numbers a = read(f, factor_at(f, layout, f.a, f.a.row, t, b));
            const Numbers h = entering(f, layout, b, k);
            double* da_at = factor_at(f, layout, call.da, width, t, b);
            // A sum over the places that share an a; the place's own value where none do.
            Numbers da = read(f, f.factors == Factors::places ? nullptr : da_at);
            for (std::int64_t j = 0; j < e.hidden; ++j) {
                g[j] += come[j];
                da[j] += std::conj(h[j]) * g[j];
            }
            write(f, da, da_at);
            if (call.db.base) write(f, g, layout.at(call.db, t, b));
            for (std::int64_t j = 0; j < e.hidden; ++j)
                g[j] = layout.cut(b, k) ? 0.0 : std::conj(a[j]) * g[j];
        }
        write(f, g, at_offset(call.dh0, b * width));
        for (std::int64_t t = length; t < e.steps && b < layout.rows(t); ++t) {
            if (call.db.base) std::fill_n(layout.at(call.db, t, b), width, 0.0);
            if (call.da.base && f.factors == Factors::places)
                std::fill_n(layout.at(call.da, t, b), width, 0.0);
        }
    }
}

}  // namespace unrolled::oracle
