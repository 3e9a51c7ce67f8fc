#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "packed_model.h"

namespace unrolled {

namespace {

void copy_rows(const float* from, std::int64_t from_step, float* to, std::int64_t to_step,
               std::int64_t rows, std::int64_t width) {
    for (std::int64_t b = 0; b < rows; ++b) {
        std::memcpy(to + b * to_step, from + b * from_step,
                    static_cast<std::size_t>(width) * sizeof(float));
    }
}

std::int64_t operand_width(const PackedLayer& layer) { return layer.input + layer.output; }

// Numbers of a row of LayerMemory::gates.
std::int64_t gates_width(const PackedLayer& layer) {
    const bool plain = layer.cell == CellKind::rnn_tanh || layer.cell == CellKind::rnn_relu;
    return plain ? layer.hidden : 4 * layer.hidden;
}

// Steps that `run` takes a layer through before the next one: so many need memory at once.
constexpr std::int64_t kStepsAtOnce = 32;

}  // namespace

struct StreamSession::Memory {
    std::int64_t batch;
    int now = 0;  // which of the operands the next step reads
    std::vector<LayerMemory> layers;
    const float** readout_rows;
    Blocks blocks;

    Memory(const PackedModel& model, std::int64_t batch) : batch(batch) {
        for (const PackedLayer& layer : model.layers) layers.push_back(layer_memory(layer));
        readout_rows = blocks.take<const float*>(batch);
    }

    LayerMemory layer_memory(const PackedLayer& layer) {
        const std::int64_t H = layer.hidden;
        const bool lstm = layer.cell == CellKind::lstm, gru = layer.cell == CellKind::gru;
        LayerMemory memory = {};
        for (float*& half : memory.operands) half = floats(operand_width(layer));
        if (lstm) memory.cells = floats(H);
        if (!layer.joined) memory.gates = floats(gates_width(layer));
        if (layer.normed) {
            memory.sums = floats(lstm ? 4 * H : gru ? 3 * H : H);
            memory.candidate = blocks.take<float>(H);
        }
        if (layer.hr.data) memory.outputs = floats(H);
        memory.rows = blocks.take<const float*>(batch);
        return memory;
    }

    float* floats(std::int64_t width) { return blocks.take<float>(batch * width); }

    // As StreamSession::run, of steps that fit into memory at once.
    void run(const PackedModel& model, std::int64_t steps, const float* x, float* y);
};

// Holds the session for one call.
class StreamSession::InUse {
  public:
    explicit InUse(std::atomic<bool>& flag) : flag_(flag) {
        if (flag_.exchange(true, std::memory_order_acquire)) {
            throw std::logic_error(
                "got a call while another thread's is under way, expected one thread at a time; "
                "give each thread a session of its own with copy()");
        }
    }
    ~InUse() { flag_.store(false, std::memory_order_release); }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

  private:
    std::atomic<bool>& flag_;
};

StreamSession::StreamSession(const StreamModel& model, std::int64_t batch)
    : model_(model.packed_), memory_(std::make_unique<Memory>(*model_, batch)) {}

StreamSession::StreamSession(const StreamSession& other)
    : model_(other.model_), memory_(std::make_unique<Memory>(*model_, other.memory_->batch)) {
    InUse guard(other.in_use_);
    const Memory& from = *other.memory_;
    const std::int64_t B = from.batch;
    for (std::size_t l = 0; l < model_->layers.size(); ++l) {
        const PackedLayer& layer = model_->layers[l];
        const std::int64_t width = operand_width(layer);
        copy_rows(from.layers[l].operands[from.now], width, memory_->layers[l].operands[0], width,
                  B, width);
        if (!from.layers[l].cells) continue;
        copy_rows(from.layers[l].cells, layer.hidden, memory_->layers[l].cells, layer.hidden, B,
                  layer.hidden);
    }
}

StreamSession::~StreamSession() = default;

void StreamSession::step(const float* x, float* y) {
    InUse guard(in_use_);
    const PackedModel& model = *model_;
    Memory& memory = *memory_;
    const std::int64_t B = memory.batch;
    const int now = memory.now;
    const std::size_t count = model.layers.size();
    const float* from = x;
    std::int64_t from_step = model.layers[0].input;
    for (std::size_t l = 0; l < count; ++l) {
        const PackedLayer& layer = model.layers[l];
        const LayerMemory& own = memory.layers[l];
        const std::int64_t width = operand_width(layer);
        copy_rows(from, from_step, own.operands[now], width, B, layer.input);
        const int cell = static_cast<int>(layer.cell);
        if (!layer.joined) {
            for (std::int64_t b = 0; b < B; ++b) own.rows[b] = own.operands[now] + b * width;
            // As `advance` goes, so that what is in the caches is read first.
            model.kernels->project[cell](layer, own.rows, B, now == 1, own.gates);
        }
        model.kernels->advance[cell](layer, own, B, now);
        from = own.operands[1 - now] + layer.input;
        from_step = width;
    }
    memory.now = 1 - now;
    if (!model.readout.data) {
        const std::int64_t width = model.layers[count - 1].output;
        return copy_rows(from, from_step, y, width, B, width);
    }
    for (std::int64_t b = 0; b < B; ++b) memory.readout_rows[b] = from + b * from_step;
    model.kernels->dense(model.readout, memory.readout_rows, B, model.readout_bias, y);
}

void StreamSession::run(std::int64_t steps, const float* x, float* y) {
    InUse guard(in_use_);
    const PackedModel& model = *model_;
    const PackedLayer& last = model.layers.back();
    const std::int64_t B = memory_->batch, input = model.layers[0].input;
    const std::int64_t width = model.readout.data ? model.readout.units : last.output;
    for (std::int64_t done = 0; done < steps; done += kStepsAtOnce) {
        const std::int64_t some = std::min(kStepsAtOnce, steps - done);
        memory_->run(model, some, x + done * B * input, y + done * B * width);
    }
}

void StreamSession::Memory::run(const PackedModel& model, std::int64_t steps, const float* x,
                                float* y) {
    const std::int64_t rows = steps * batch;
    // All memory is taken before a layer moves.
    std::int64_t widest_gates = 0, widest_output = 0;
    for (const PackedLayer& layer : model.layers) {
        if (!layer.joined) widest_gates = std::max(widest_gates, gates_width(layer));
        widest_output = std::max(widest_output, layer.output);
    }
    std::vector<float> gates(static_cast<std::size_t>(rows * widest_gates));
    std::vector<float> outputs[2];
    for (std::vector<float>& out : outputs) {
        out.resize(static_cast<std::size_t>(rows * widest_output));
    }
    std::vector<const float*> places(static_cast<std::size_t>(rows));
    const float* from = x;
    std::int64_t from_width = model.layers[0].input;
    const auto point = [&] {
        for (std::int64_t r = 0; r < rows; ++r) {
            places[static_cast<std::size_t>(r)] = from + r * from_width;
        }
    };
    for (std::size_t l = 0; l < layers.size(); ++l) {
        const PackedLayer& layer = model.layers[l];
        const std::int64_t width = operand_width(layer), wide = gates_width(layer);
        const int cell = static_cast<int>(layer.cell);
        if (!layer.joined) {
            point();
            model.kernels->project[cell](layer, places.data(), rows, false, gates.data());
        }
        // The layer below is read while this one writes.
        std::vector<float>& out = outputs[l % 2];
        for (std::int64_t t = 0; t < steps; ++t) {
            LayerMemory own = layers[l];
            const int before = (now + static_cast<int>(t)) % 2;
            if (layer.joined) {
                copy_rows(from + t * batch * from_width, from_width, own.operands[before], width,
                          batch, layer.input);
            } else {
                own.gates = gates.data() + t * batch * wide;
            }
            model.kernels->advance[cell](layer, own, batch, before);
            copy_rows(own.operands[1 - before] + layer.input, width,
                      out.data() + t * batch * layer.output, layer.output, batch, layer.output);
        }
        from = out.data();
        from_width = layer.output;
    }
    now = (now + static_cast<int>(steps)) % 2;
    if (!model.readout.data) return copy_rows(from, from_width, y, from_width, rows, from_width);
    point();
    model.kernels->dense(model.readout, places.data(), rows, model.readout_bias, y);
}

void StreamSession::get_state(int layer, float* h, float* c) const {
    InUse guard(in_use_);
    const PackedLayer& of = model_->layers[static_cast<std::size_t>(layer)];
    const LayerMemory& own = memory_->layers[static_cast<std::size_t>(layer)];
    const std::int64_t B = memory_->batch, H = of.hidden, P = of.output;
    copy_rows(own.operands[memory_->now] + of.input, operand_width(of), h, P, B, P);
    if (own.cells) copy_rows(own.cells, H, c, H, B, H);
}

void StreamSession::set_state(int layer, const float* h, const float* c) {
    InUse guard(in_use_);
    const PackedLayer& of = model_->layers[static_cast<std::size_t>(layer)];
    const LayerMemory& own = memory_->layers[static_cast<std::size_t>(layer)];
    const std::int64_t B = memory_->batch, H = of.hidden, P = of.output;
    copy_rows(h, P, own.operands[memory_->now] + of.input, operand_width(of), B, P);
    if (own.cells) copy_rows(c, H, own.cells, H, B, H);
}

void StreamSession::reset() {
    InUse guard(in_use_);
    for (std::size_t l = 0; l < model_->layers.size(); ++l) {
        const PackedLayer& of = model_->layers[l];
        const LayerMemory& own = memory_->layers[l];
        const std::size_t B = static_cast<std::size_t>(memory_->batch);
        const std::size_t width = static_cast<std::size_t>(operand_width(of));
        std::memset(own.operands[memory_->now], 0, B * width * sizeof(float));
        if (!own.cells) continue;
        std::memset(own.cells, 0, B * static_cast<std::size_t>(of.hidden) * sizeof(float));
    }
}

}  // namespace unrolled
