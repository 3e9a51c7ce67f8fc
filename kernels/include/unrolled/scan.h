// A linear recurrence over time, unit by unit, real or complex: forward, and backward through time.
//
// With s the step and h the state after the step before it in the scan's own direction:
//
//     h_s = a_s * h + b_s
//
// Gradients of complex numbers are the conjugate ones, as in PyTorch: with g_s = dL/dh_s and all
// paths through time in it, db_s = g_s, da_s = conj(h) * g_s, and conj(a_s) * g_s goes on to h.
//
// A complex number is two neighbours in memory, its real and its imaginary part. W is how many
// numbers the H units of one place are: H, or 2H where they are complex. All strides count single
// numbers.
//
// Sizes, places, strides, lengths, packed batches, resets and threads: as in sequence.h.
#pragma once

#include "unrolled/sequence.h"

namespace unrolled {

// What has an a of its own.
enum class Factors : int {
    units = 0,   // (W,) each unit
    rows = 1,    // (B, W) each unit of each row
    places = 2,  // (T, B, W), or (N, W) packed: each unit of each place
};

template <class Real>
struct ScanForward {
    Extent extent;          // cell, input and output are not looked at
    bool complex;           // numbers are pairs
    Factors factors;        // which shape a has
    Strided<const Real> a;  // not null; the strides that its shape lacks are not looked at
    Strided<const Real> b;  // (T, B, W); a and b are never read beyond a row's length
    const Real* h0;         // (B, W) state before the first step, or null for zeros
    Strided<Real> y;        // (T, B, W) h_s; written in full, zero beyond a row's length
    Real* hn;               // (B, W) after the last step of each row (h0 where it has none)
};

// Gradients of a loss L. `forward` holds the arguments of the forward call and what it wrote; its b
// and hn are not looked at.
template <class Real>
struct ScanBackward {
    ScanForward<Real> forward;
    Strided<const Real> dy;  // (T, B, W) dL/dy, never read beyond a row's length; base null: zero
    const Real* dhn;         // (B, W) dL/dhn, or null for zero

    // Outputs, written in full. Any may be null: not wanted.
    Strided<Real> da;  // the shape of a, dense but for (T, B, W); zero beyond a row's length
    Strided<Real> db;  // (T, B, W) zero beyond a row's length
    Real* dh0;         // (B, W)
};

// Owners, alignment, aliasing, threads and NaN: as for forward and backward in sequence.h.
template <class Real>
void scan_forward(const ScanForward<Real>& call);
template <class Real>
void scan_backward(const ScanBackward<Real>& call);

namespace oracle {
// The same in plain loops and double precision, one thread: what the fast code is tested against.
void scan_forward(const ScanForward<double>& call);
void scan_backward(const ScanBackward<double>& call);
}  // namespace oracle

}  // namespace unrolled
