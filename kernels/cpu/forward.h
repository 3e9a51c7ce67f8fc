// One layer in one direction, forward over time.
//
// A worker has some of the rows for the whole sequence, or some of the units of all rows and meets
// the others after each step (see team.h). Either way it goes through time in stretches: first the
// input's part of the gates for the stretch, one large product; then step by step the recurrent
// product and the equations, a block of units at a time.
#pragma once

#include "pack.h"
#include "plan.h"
#include "row.h"
#include "scratch.h"
#include "share.h"
#include "threads.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <class Real, CellKind kCell>
class ForwardPass {
    static constexpr int L = kLanes<Real>;
    static constexpr int kGates = gates_of(kCell);
    static constexpr int kColumns = columns_of(kCell);
    static constexpr bool kLstm = kCell == CellKind::lstm;

  public:
    ForwardPass(const Forward<Real>& call, const Plan& plan, Scratch& scratch)
        : call_(call),
          plan_(plan),
          e_(call.extent),
          share_(plan, team_of(call.extent, kGates, call.weights.gain_ih || call.weights.hr)) {
        normed_ = call.weights.gain_ih != nullptr;
        projected_ = call.weights.hr != nullptr;
        unit_vecs_ = is_rnn(kCell) ? plain_vecs<Real>(e_.hidden) : 1;
        vecs_ = is_rnn(kCell) ? unit_vecs_ : kCell == CellKind::gru ? 3 : kPlainVecs;
        const std::int64_t blocks = ceil_div(e_.hidden, unit_vecs_ * L);
        const int panels = kGates * unit_vecs_ / vecs_;
        ih_ = {e_.input, vecs_, panels, blocks};
        hh_ = {e_.output, vecs_, panels, blocks};
        ih_data_ = scratch.take<Real>(ih_.elements());
        hh_data_ = scratch.take<Real>(hh_.elements());
        if (projected_) {
            const int vecs = plain_vecs<Real>(e_.output);
            hr_ = {e_.hidden, vecs, 1, ceil_div(e_.output, vecs * L)};
            hr_data_ = scratch.take<Real>(hr_.elements());
        }
        const std::int64_t widest = e_.hidden > e_.output ? e_.hidden : e_.output;
        zeros_ = scratch.take<Real>(widest);
        fill(zeros_, widest, Real(0));
        bias_ = scratch.take<Real>(kGates * e_.hidden);
        if (call.masks.recurrent) {
            for (Real*& half : masked_) half = scratch.take<Real>(e_.batch * e_.output);
            masked_h0_ = scratch.take<Real>(e_.batch * e_.output);
        }
        if (kLstm && !call.kept.cells) cells_ = scratch.take<Real>(e_.batch * e_.hidden);

        rows_ = share_.by_units() ? e_.batch : ceil_div(e_.batch, share_.workers());
        stretch_ = 96 / rows_ > 1 ? 96 / rows_ : 1;
        if (stretch_ > e_.steps) stretch_ = e_.steps;
        const std::int64_t places = rows_ * stretch_;
        // Workers by units share the stretch's gates: each reads and writes its own units only.
        const int shares = share_.by_units() ? 1 : share_.workers();
        if (!call.kept.gates) gates_ = scratch.take<Real>(shares * places * kColumns * e_.hidden);
        for (int w = 0; w < share_.workers(); ++w) {
            Worker& worker = workers_[w];
            worker.inputs = scratch.take<const Real*>(places);
            worker.gates = scratch.take<Real*>(places);
            worker.place = scratch.take<std::int64_t>(places);
            worker.operands = scratch.take<const Real*>(rows_);
            worker.rows = scratch.take<Row<Real>>(rows_);
            worker.projections = scratch.take<Real>(projected_ ? rows_ * e_.hidden : 0);
            worker.projection_rows = scratch.take<const Real*>(projected_ ? rows_ : 0);
            worker.raw = scratch.take<Real>(normed_ ? rows_ * kGates * e_.hidden : 0);
            worker.candidate = scratch.take<Real>(normed_ && kLstm ? e_.hidden : 0);
        }
        common_ = {e_.hidden,
                   call.kept.gates != nullptr,
                   call.masks.rate_h,
                   call.masks.rate_c,
                   kCell == CellKind::gru && call.weights.bias_hh
                       ? call.weights.bias_hh + 2 * e_.hidden
                       : nullptr,
                   call.weights.peephole};
    }

    void run() {
        auto prepare = [this](int worker) { pack(worker); };
        parallel(share_.workers(), prepare);
        if (share_.by_units()) {
            auto work = [this](int worker, std::int64_t s) { step(worker, s); };
            in_step(share_.workers(), e_.steps, work);
        } else {
            auto work = [this](int worker) {
                for (std::int64_t s = 0; s < e_.steps; ++s) step(worker, s);
            };
            parallel(share_.workers(), work);
        }
        for (std::int64_t rank = 0; rank < e_.batch; ++rank) finish(rank);
    }

  private:
    struct Worker {
        const Real** inputs;  // of the stretch: each step's rows after one another
        Real** gates;
        std::int64_t* place;
        std::int64_t first_of_step;
        const Real** operands;  // of one step
        Row<Real>* rows;
        Real* projections;  // (rows, H) what is to be projected
        const Real** projection_rows;
        Real* raw;        // (rows, G*H) W_hh h, where it isn't kept
        Real* candidate;  // (H,) c~
    };

    Sums lone() const { return e_.batch == 1 ? Sums::lone : Sums::grouped; }

    static void fill(Real* at, std::int64_t count, Real value) {
        for (std::int64_t k = 0; k < count; ++k) at[k] = value;
    }

    void pack(int worker) {
        const auto& w = call_.weights;
        pack_units(w.ih, kGates, e_.hidden, unit_vecs_, ih_, share_.part(worker, ih_.blocks),
                   share_.part(worker + 1, ih_.blocks), ih_data_);
        pack_units(w.hh, kGates, e_.hidden, unit_vecs_, hh_, share_.part(worker, hh_.blocks),
                   share_.part(worker + 1, hh_.blocks), hh_data_);
        if (projected_) {
            pack_units(w.hr, 1, e_.output, hr_.vecs, hr_, share_.part(worker, hr_.blocks),
                       share_.part(worker + 1, hr_.blocks), hr_data_);
        }
        if (worker != 0) return;
        // The recurrent bias goes in with the input's, but for a GRU's b_hn, which r multiplies.
        const std::int64_t all = kGates * e_.hidden;
        const std::int64_t recurrent = kCell == CellKind::gru ? 2 * e_.hidden : all;
        for (std::int64_t k = 0; k < all; ++k) {
            bias_[k] = (w.bias_ih ? w.bias_ih[k] : Real(0)) +
                       (w.bias_hh && k < recurrent ? w.bias_hh[k] : Real(0));
        }
        if (!masked_h0_) return;
        for (std::int64_t rank = 0; rank < e_.batch; ++rank) {
            const std::int64_t at = plan_.row[rank] * e_.output;
            for (std::int64_t k = 0; k < e_.output; ++k) {
                masked_h0_[at + k] =
                    call_.h0 ? call_.h0[at + k] * call_.masks.recurrent[at + k] : Real(0);
            }
        }
    }

    void step(int w, std::int64_t s) {
        Worker& worker = workers_[w];
        if (s % stretch_ == 0) project_inputs(w, s);
        const std::int64_t t = step_at(plan_, s);
        const std::int64_t count = share_.rows_at(w, t);
        for (std::int64_t i = 0; i < count; ++i) {
            set_row(worker, i, t, share_.rank(w, i), worker.first_of_step + i, s);
        }
        if (normed_) {
            step_normed(worker, count, w);
        } else {
            step_plain(worker, count, w);
        }
        if (projected_) project_outputs(worker, count);
        worker.first_of_step += count;
    }

    // The input's part of the gates for the stretch that begins at step s.
    void project_inputs(int w, std::int64_t s) {
        Worker& worker = workers_[w];
        const std::int64_t end = s + stretch_ < e_.steps ? s + stretch_ : e_.steps;
        const std::int64_t width = kColumns * e_.hidden;
        Real* own =
            gates_ ? gates_ + (share_.by_units() ? 0 : w) * rows_ * stretch_ * width : nullptr;
        std::int64_t m = 0;
        for (std::int64_t k = s; k < end; ++k) {
            const std::int64_t t = step_at(plan_, k), count = share_.rows_at(w, t);
            for (std::int64_t i = 0; i < count; ++i, ++m) {
                const std::int64_t rank = share_.rank(w, i);
                const std::int64_t place = place_of(plan_, t, rank);
                worker.inputs[m] = at(call_.x, plan_, t, rank);
                worker.place[m] = place;
                worker.gates[m] = own ? own + m * width : call_.kept.gates + place * width;
            }
        }
        worker.first_of_step = 0;
        const Panels<Real> panels = panels_of(ih_, ih_data_);
        const std::int64_t H = e_.hidden;
        const auto use = [&](std::int64_t block, std::int64_t first, int n, const Real* out) {
            for (int vec = 0; vec < kGates * unit_vecs_; ++vec) {
                const std::int64_t j = (block * unit_vecs_ + vec % unit_vecs_) * L;
                if (j >= H) continue;
                const int count = H - j < L ? static_cast<int>(H - j) : L;
                const std::int64_t from = (vec / unit_vecs_) * H + j;
                const Real* sums = out + (vec / vecs_) * n * vecs_ * L + (vec % vecs_) * L;
                const Vec<Real> bias = normed_ ? Vec<Real>{} : load_some(bias_ + from, count);
                for (int r = 0; r < n; ++r) {
                    Real* to = normed_ ? normed_input(worker, first + r)
                                       : worker.gates[first + r] + first_column(kCell) * H;
                    store_some(to + from, load(sums + r * vecs_ * L) + bias, count);
                }
            }
        };
        multiply(panels, share_.first_block(w, ih_.blocks), share_.last_block(w, ih_.blocks),
                 worker.inputs, 0, m, Sums::grouped, use);
        if (normed_) {
            for (std::int64_t i = 0; i < m; ++i) normalise_input(worker, i);
        }
    }

    // Where W_ih x of a place of the stretch is normalised: where it is kept, or among the gates.
    Real* normed_input(const Worker& worker, std::int64_t i) const {
        if (call_.kept.normed_ih)
            return call_.kept.normed_ih + worker.place[i] * kGates * e_.hidden;
        return worker.gates[i] + first_column(kCell) * e_.hidden;
    }

    void normalise_input(const Worker& worker, std::int64_t i) {
        const std::int64_t H = e_.hidden;
        Real* normed = normed_input(worker, i);
        for (int group = 0; group < groups_of(kCell); ++group) {
            const std::int64_t from = group * 2 * H, size = gates_of_group(kCell, group) * H;
            const Real scale = normalise(normed + from, size, call_.weights.epsilon);
            if (call_.kept.scale_ih) call_.kept.scale_ih[worker.place[i] * 2 + group] = scale;
        }
        Real* gates = worker.gates[i] + first_column(kCell) * H;
        for_vectors<Real>(kGates * H, [&](std::int64_t j,
                                          int count) __attribute__((always_inline)) {
            const Vec<Real> gain = load_some(call_.weights.gain_ih + j, count);
            store_some(gates + j, gain * load_some(normed + j, count) + load_some(bias_ + j, count),
                       count);
        });
    }

    void set_row(Worker& worker, std::int64_t i, std::int64_t t, std::int64_t rank, std::int64_t m,
                 std::int64_t s) {
        const std::int64_t H = e_.hidden, P = e_.output, place = worker.place[m];
        const std::int64_t given = plan_.row[rank];
        const Origin from = origin(plan_, t, rank);
        Row<Real>& row = worker.rows[i];
        row.gates = worker.gates[m];
        row.h_before = from.cut     ? zeros_
                       : from.first ? (call_.h0 ? call_.h0 + given * P : zeros_)
                                    : at(call_.y, plan_, from.before, rank);
        worker.operands[i] = row.h_before;
        row.masked = nullptr;
        if (masked_h0_) {
            if (!from.cut) {
                worker.operands[i] =
                    from.first ? masked_h0_ + given * P : masked_[(s + 1) % 2] + rank * P;
            }
            row.masked = masked_[s % 2] + rank * P;
            row.recurrent = call_.masks.recurrent + given * P;
        }
        row.out = at(call_.y, plan_, t, rank);
        row.keep_h = call_.masks.zoneout_h ? call_.masks.zoneout_h + place * P : nullptr;
        if constexpr (kLstm) {
            const bool kept = call_.kept.cells != nullptr;
            row.cell = kept ? call_.kept.cells + place * H : cells_ + rank * H;
            row.c_before = from.cut     ? zeros_
                           : from.first ? (call_.c0 ? call_.c0 + given * H : zeros_)
                           : kept       ? call_.kept.cells + place_of(plan_, from.before, rank) * H
                                        : row.cell;
            row.keep_c = call_.masks.zoneout_c ? call_.masks.zoneout_c + place * H : nullptr;
        }
    }

    // Without layer normalisation: each block of units from product to state in one go.
    void step_plain(Worker& worker, std::int64_t count, int w) {
        const std::int64_t H = e_.hidden;
        const auto use = [&](std::int64_t block, std::int64_t first, int n, const Real* out) {
            for (int r = 0; r < n; ++r) {
                for (int u = 0; u < unit_vecs_; ++u) {
                    const std::int64_t j = (block * unit_vecs_ + u) * L;
                    if (j >= H) break;
                    const Real* sums = out + (r * vecs_ + u) * L;
                    const Row<Real>& row = worker.rows[first + r];
                    Real* projection = projected_ ? worker.projections + (first + r) * H : nullptr;
                    const auto sum = [&](int gate) __attribute__((always_inline)) {
                        constexpr int kVecs = kCell == CellKind::gru ? 3 : kPlainVecs;
                        return load(sums + (gate / kVecs) * n * kVecs * L + (gate % kVecs) * L);
                    };
                    if (H - j >= L) {
                        plain_units<kCell>(row, common_, j, L, projection, sum);
                    } else {
                        plain_units<kCell>(row, common_, j, static_cast<int>(H - j), projection,
                                           sum);
                    }
                }
            }
        };
        multiply(panels_of(hh_, hh_data_), share_.first_block(w, hh_.blocks),
                 share_.last_block(w, hh_.blocks), worker.operands, 0, count, lone(), use);
    }

    // With layer normalisation: the whole product, then row by row.
    void step_normed(Worker& worker, std::int64_t count, int w) {
        const std::int64_t H = e_.hidden;
        const auto normed = [&](std::int64_t i) {
            if (!call_.kept.normed_hh) return worker.raw + i * kGates * H;
            return call_.kept.normed_hh + worker.place[worker.first_of_step + i] * kGates * H;
        };
        const auto use = [&](std::int64_t block, std::int64_t first, int n, const Real* out) {
            for (int vec = 0; vec < kGates * unit_vecs_; ++vec) {
                const std::int64_t j = (block * unit_vecs_ + vec % unit_vecs_) * L;
                if (j >= H) continue;
                const int lanes = H - j < L ? static_cast<int>(H - j) : L;
                const Real* sums = out + (vec / vecs_) * n * vecs_ * L + (vec % vecs_) * L;
                for (int r = 0; r < n; ++r) {
                    Real* to = normed(first + r) + (vec / unit_vecs_) * H + j;
                    store_some(to, load(sums + r * vecs_ * L), lanes);
                }
            }
        };
        multiply(panels_of(hh_, hh_data_), share_.first_block(w, hh_.blocks),
                 share_.last_block(w, hh_.blocks), worker.operands, 0, count, lone(), use);
        for (std::int64_t i = 0; i < count; ++i) {
            Real* row = normed(i);
            const std::int64_t place = worker.place[worker.first_of_step + i];
            for (int group = 0; group < groups_of(kCell); ++group) {
                const Real scale = normalise(row + group * 2 * H, gates_of_group(kCell, group) * H,
                                             call_.weights.epsilon);
                if (call_.kept.scale_hh) call_.kept.scale_hh[place * 2 + group] = scale;
            }
            const auto& weights = call_.weights;
            const Moments<Real> m = normed_units<kCell>(
                worker.rows[i], common_, weights.gain_hh, weights.norm_c, weights.epsilon, row,
                worker.candidate, projected_ ? worker.projections + i * H : nullptr);
            if (!kLstm || !call_.kept.stats_c) continue;
            call_.kept.stats_c[place * 2] = m.mean;
            call_.kept.stats_c[place * 2 + 1] = m.scale;
        }
    }

    void project_outputs(Worker& worker, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            worker.projection_rows[i] = worker.projections + i * e_.hidden;
        }
        const std::int64_t P = e_.output;
        const auto use = [&](std::int64_t block, std::int64_t first, int n, const Real* out) {
            for (int r = 0; r < n; ++r) {
                for (int vec = 0; vec < hr_.vecs; ++vec) {
                    const std::int64_t j = (block * hr_.vecs + vec) * L;
                    if (j >= P) break;
                    const int lanes = P - j < L ? static_cast<int>(P - j) : L;
                    put_h(worker.rows[first + r], common_, j, lanes,
                          load(out + (r * hr_.vecs + vec) * L));
                }
            }
        };
        multiply(panels_of(hr_, hr_data_), 0, hr_.blocks, worker.projection_rows, 0, count, lone(),
                 use);
    }

    // The last state of a rank, and zeros beyond its length.
    void finish(std::int64_t rank) {
        const std::int64_t H = e_.hidden, P = e_.output, given = plan_.row[rank];
        const std::int64_t length = plan_.length[rank], last = e_.reverse ? 0 : length - 1;
        const Real* h = length > 0 ? at(call_.y, plan_, last, rank)
                        : call_.h0 ? call_.h0 + given * P
                                   : zeros_;
        __builtin_memcpy(call_.hn + given * P, h, static_cast<std::size_t>(P) * sizeof(Real));
        if constexpr (kLstm) {
            const Real* c = length == 0        ? (call_.c0 ? call_.c0 + given * H : zeros_)
                            : call_.kept.cells ? call_.kept.cells + place_of(plan_, last, rank) * H
                                               : cells_ + rank * H;
            __builtin_memcpy(call_.cn + given * H, c, static_cast<std::size_t>(H) * sizeof(Real));
        }
        if (plan_.offset) return;
        for (std::int64_t t = length; t < e_.steps; ++t) {
            fill(at(call_.y, plan_, t, rank), P, Real(0));
        }
    }

    const Forward<Real>& call_;
    const Plan& plan_;
    const Extent& e_;
    const Share share_;
    bool normed_, projected_;
    int unit_vecs_, vecs_;
    Layout<Real> ih_, hh_, hr_;
    Real *ih_data_, *hh_data_, *hr_data_ = nullptr;
    Real *zeros_, *bias_, *gates_ = nullptr, *cells_ = nullptr;
    Real* masked_[2] = {};  // (B, P) by rank: m * h of the last step and of this one
    Real* masked_h0_ = nullptr;
    std::int64_t rows_, stretch_;
    Common<Real> common_;
    Worker workers_[kMaxWorkers];
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
