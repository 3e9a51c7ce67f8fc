// What a streaming step works on: packed weights, and the memory of one session.
#pragma once

#include <cstddef>

#include "unrolled/stream.h"

namespace unrolled {

// A matrix (gates * units, size) as panels (see tile.h), whose numbers are as wide as the precision
// says. With several gates, a block has all gates of a vector of units.
struct PackedMatrix {
    int gates;
    std::int64_t units, size;

    int unit_vecs, vecs, panels_a_block;  // as in pack.h
    std::int64_t blocks;
    std::int64_t elements;
    std::size_t bytes;
    void* data;  // null: no such matrix
};

struct PackedLayer {
    CellKind cell;
    std::int64_t input, hidden, output;
    bool normed;
    bool joined;      // one product takes input and state together
    PackedMatrix ih;  // where joined, (W_ih W_hh) side by side
    PackedMatrix hh;  // unused where joined
    PackedMatrix hr;
    float* bias;           // (G*H,) both biases, but for the b_hn of a GRU
    const float* bias_hn;  // GRU, or null
    const float* peephole;
    const float *gain_ih, *gain_hh, *norm_c;
    float epsilon, rate_h, rate_c;
};

// One layer of one session.
struct LayerMemory {
    // (B, I + P) a step's input beside the state before it. The two take turns: a step reads one
    // and writes its new state into the other.
    float* operands[2];
    float* cells;        // (B, H) LSTM; null otherwise
    float* gates;        // (B, 4H), RNN (B, H): the input's part of the gates; null where joined
    float* sums;         // (B, G*H) W_hh h, with layer normalisation
    float* candidate;    // (H,) c~, with layer normalisation
    float* outputs;      // (B, H) what is to be projected
    const float** rows;  // (B,) the rows of a product
};

// The functions of one instruction set and one precision.
struct StreamKernels {
    // How a matrix is laid out; data stays null.
    PackedMatrix (*layout)(int gates, std::int64_t units, std::int64_t size);
    // Fills `to.data` from a dense matrix; `panels` has room for to.elements floats.
    void (*pack)(const PackedMatrix& to, const float* matrix, float* panels);
    // The input's part of the gates of `count` rows, by CellKind, to `gates` (count, 4H or H as in
    // LayerMemory); of a layer that is not joined. `backwards`: from the end of the weights.
    void (*project[4])(const PackedLayer& layer, const float* const* rows, std::int64_t count,
                       bool backwards, float* gates);
    // The rest of one step of one layer, by CellKind: of a joined one all of it. Reads
    // operands[now], writes the state of the other.
    void (*advance[4])(const PackedLayer& layer, const LayerMemory& memory, std::int64_t batch,
                       int now);
    // out (B, units) = matrix times rows + bias, which may be null.
    void (*dense)(const PackedMatrix& matrix, const float* const* rows, std::int64_t batch,
                  const float* bias, float* out);
};

// Those of the instruction set in use.
const StreamKernels& stream_kernels(Precision precision);

}  // namespace unrolled
