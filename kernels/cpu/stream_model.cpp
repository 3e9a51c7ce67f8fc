#include "packed_model.h"

namespace unrolled {

namespace {

int gates_of(CellKind cell) { return cell == CellKind::lstm ? 4 : cell == CellKind::gru ? 3 : 1; }

class Packing {
  public:
    Packing(PackedModel& model) : model_(model) {}

    // A dense matrix (gates * units, size) as panels.
    PackedMatrix matrix(const float* dense, int gates, std::int64_t units, std::int64_t size) {
        PackedMatrix packed = model_.kernels->layout(gates, units, size);
        packed.data = model_.blocks.take<char>(static_cast<std::int64_t>(packed.bytes));
        panels_.resize(static_cast<std::size_t>(packed.elements));
        model_.kernels->pack(packed, dense, panels_.data());
        model_.weight_bytes += static_cast<std::int64_t>(packed.bytes);
        return packed;
    }

    PackedLayer layer(const StreamLayer& from) {
        const Weights<float>& w = from.weights;
        const bool gru = from.cell == CellKind::gru;
        const int gates = gates_of(from.cell);
        const std::int64_t I = from.input, H = from.hidden, P = from.output, rows = gates * H;
        PackedLayer to = {};
        to.cell = from.cell;
        to.input = I;
        to.hidden = H;
        to.output = P;
        to.normed = w.gain_ih != nullptr;
        // A GRU's r and every normalisation come between the products of input and state.
        to.joined = !gru && !to.normed;
        if (to.joined) {
            to.ih = matrix(side_by_side(w.ih, I, w.hh, P, rows), gates, H, I + P);
        } else {
            to.ih = matrix(w.ih, gates, H, I);
            to.hh = matrix(w.hh, gates, H, P);
        }
        if (w.hr) to.hr = matrix(w.hr, 1, P, H);
        to.bias = bias(w, rows, gru ? 2 * H : rows);
        Blocks& blocks = model_.blocks;
        if (gru && w.bias_hh) to.bias_hn = blocks.copy(w.bias_hh + 2 * H, H);
        to.peephole = blocks.copy(w.peephole, 3 * H);
        to.gain_ih = blocks.copy(w.gain_ih, rows);
        to.gain_hh = blocks.copy(w.gain_hh, rows);
        to.norm_c = blocks.copy(w.norm_c, 2 * H);
        to.epsilon = w.epsilon;
        to.rate_h = from.rate_h;
        to.rate_c = from.rate_c;
        return to;
    }

  private:
    const float* side_by_side(const float* left, std::int64_t left_size, const float* right,
                              std::int64_t right_size, std::int64_t rows) {
        const std::int64_t size = left_size + right_size;
        joined_.resize(static_cast<std::size_t>(rows * size));
        for (std::int64_t row = 0; row < rows; ++row) {
            float* to = joined_.data() + row * size;
            std::memcpy(to, left + row * left_size,
                        static_cast<std::size_t>(left_size) * sizeof(float));
            std::memcpy(to + left_size, right + row * right_size,
                        static_cast<std::size_t>(right_size) * sizeof(float));
        }
        return joined_.data();
    }

    // Both biases, the recurrent one for the first `recurrent` rows only.
    float* bias(const Weights<float>& w, std::int64_t rows, std::int64_t recurrent) {
        float* sum = model_.blocks.take<float>(rows);
        for (std::int64_t row = 0; row < rows; ++row) {
            sum[row] = (w.bias_ih ? w.bias_ih[row] : 0.0f) +
                       (w.bias_hh && row < recurrent ? w.bias_hh[row] : 0.0f);
        }
        return sum;
    }

    PackedModel& model_;
    std::vector<float> panels_, joined_;
};

}  // namespace

StreamModel::StreamModel(const StreamLayer* layers, int count, const Readout& readout,
                         Precision precision) {
    auto model = std::make_shared<PackedModel>();
    model->kernels = &stream_kernels(precision);
    Packing packing(*model);
    for (int l = 0; l < count; ++l) model->layers.push_back(packing.layer(layers[l]));
    if (readout.size > 0) {
        model->readout = packing.matrix(readout.weight, 1, readout.size, layers[count - 1].output);
        model->readout_bias = model->blocks.copy(readout.bias, readout.size);
    }
    packed_ = std::move(model);
}

std::int64_t StreamModel::weight_bytes() const { return packed_->weight_bytes; }

}  // namespace unrolled
