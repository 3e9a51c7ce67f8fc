// Streaming: a stack of recurrent layers and an optional dense output, one step at a time.
//
//     h_0 = x,  h_l, c_l = layer l of (h_{l-1}; the state h_l, c_l of the step before)
//     y = W h_L + b,   or h_L where there is no readout
//
// The equations of a layer stand in sequence.h: cell, peepholes, projection, layer normalisation,
// and zoneout by its rates. A session gives what `forward` gives for the whole sequence, up to
// rounding.
//
// Two things are kept apart: the weights, packed once for the processor and never changed, which
// any number of sessions share; and a session, which is a state and the memory of a step.
//
// Sizes: B rows of a session, I input, H hidden and P output size of a layer, V of the readout.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "unrolled/sequence.h"

namespace unrolled {

// How the matrices of weights are kept. float16 rounds each number once to IEEE binary16 and
// calculates in float: half of the memory to read at a step, which is what a step of one row takes
// its time for. On the generic instruction set, which can't widen them, the rounded numbers are
// kept as floats: the same results, without the saving. Vectors (biases, gains, peepholes) and
// states stay float either way.
enum class Precision : int { float32 = 0, float16 = 1 };

struct StreamLayer {
    CellKind cell;
    std::int64_t input;      // I; above the first layer the P of the layer below
    std::int64_t hidden;     // H
    std::int64_t output;     // P; equals H unless weights.hr is given
    Weights<float> weights;  // as `forward` takes them
    float rate_h, rate_c;    // zoneout, as in evaluation; rate_c for an LSTM only
};

struct Readout {
    std::int64_t size;    // V; 0 for no readout
    const float* weight;  // (V, P) dense; unused where size is 0
    const float* bias;    // (V,) or null
};

struct PackedModel;

// The weights of a stack, packed for the instruction set that is in use when it is made, and
// immutable: sessions of any threads may share it. A copy refers to the same weights.
class StreamModel {
  public:
    // `count` >= 1 layers. Copies everything; the arrays are not needed afterwards. For float16 the
    // finite numbers of the matrices are at most 65504 in size. Throws std::bad_alloc, or
    // std::invalid_argument where UNROLLED_ISA can't be met.
    StreamModel(const StreamLayer* layers, int count, const Readout& readout, Precision precision);

    std::int64_t weight_bytes() const;  // of the packed matrices: what a step reads

  private:
    friend class StreamSession;
    std::shared_ptr<const PackedModel> packed_;
};

// B sequences in step. Different sessions run in different threads at once; one session is for one
// thread at a time: a call that comes while another thread's is under way throws std::logic_error
// and does nothing.
class StreamSession {
  public:
    // The state is zero. All memory that a step needs is taken here. Throws std::bad_alloc.
    StreamSession(const StreamModel& model, std::int64_t batch);
    // The same weights, a state of its own.
    StreamSession(const StreamSession& other);
    StreamSession& operator=(const StreamSession&) = delete;
    ~StreamSession();

    // x (B, I) of the first layer; y (B, V), or (B, P) of the last layer where there is no readout,
    // written in full. Both dense, not null, owned by the caller; they may overlap. Allocates
    // nothing, starts no thread. A NaN in row b changes row b only.
    void step(const float* x, float* y);

    // `steps` steps: x (T, B, I), y (T, B, V or P), as `step` gives them one after the other, up to
    // rounding. It takes one layer after the other through some steps, so that the weights which
    // only the input meets are read once for all of these, and the others stay in the caches: of a
    // GRU, and with layer normalisation. Takes memory for 32 steps at most. Throws std::bad_alloc;
    // the state is then that of no step or of a multiple of 32.
    void run(std::int64_t steps, const float* x, float* y);

    // The state of a layer (from 0): h (B, P) and, of an LSTM, c (B, H), null otherwise.
    void get_state(int layer, float* h, float* c) const;
    void set_state(int layer, const float* h, const float* c);
    void reset();  // to zero

  private:
    struct Memory;
    class InUse;

    std::shared_ptr<const PackedModel> model_;
    std::unique_ptr<Memory> memory_;
    mutable std::atomic<bool> in_use_{false};
};

}  // namespace unrolled
