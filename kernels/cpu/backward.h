// One layer in one direction, backward through time.
//
// Workers share the call as in forward.h. A step takes the slopes of the gates' sums at the step
// that comes after it in the layer's direction, multiplies them by W_hh, and a block of units at a
// time goes on through the equations to its own slopes. What needs no order in time is done
// for many steps at once: dL/dx, and last of all the gradients of the weights (see weights.h).
#pragma once

#include "norm.h"
#include "pack.h"
#include "plan.h"
#include "scratch.h"
#include "share.h"
#include "slopes.h"
#include "threads.h"

namespace unrolled::UNROLLED_ISA_NAMESPACE {

template <class Real, CellKind kCell>
class BackwardPass {
    static constexpr int L = kLanes<Real>;
    static constexpr int kGates = gates_of(kCell);
    static constexpr int kColumns = columns_of(kCell);
    static constexpr bool kLstm = kCell == CellKind::lstm;
    static constexpr bool kGru = kCell == CellKind::gru;
    static constexpr std::int64_t kFew = 8;  // places

  public:
    BackwardPass(const Backward<Real>& call, const Plan& plan, Scratch& scratch)
        : call_(call),
          f_(call.forward),
          plan_(plan),
          e_(f_.extent),
          share_(plan, team_of(e_, kGates, f_.weights.gain_ih || f_.weights.hr)) {
        const std::int64_t H = e_.hidden, P = e_.output, B = e_.batch, all = kGates * H;
        normed_ = f_.weights.gain_ih != nullptr;
        projected_ = f_.weights.hr != nullptr;
        // One step needs no W_hh, and a few places no packed weights.
        hh_ = plain(all, P);
        const bool needs_hh = e_.steps > 1 || call.dh0;
        hh_in_place_ = plan.places <= kFew && !(kGru && !normed_) && fits_in_place(hh_, P);
        if (needs_hh && !hh_in_place_) hh_data_ = scratch.take<Real>(hh_.elements());
        if (call.dx.base) {
            ih_ = plain(all, e_.input);
            ih_in_place_ = plan.places <= kFew && fits_in_place(ih_, e_.input);
            if (!ih_in_place_) ih_data_ = scratch.take<Real>(ih_.elements());
        }
        if (projected_) {
            hr_ = plain(P, H);
            hr_data_ = scratch.take<Real>(hr_.elements());
            outputs_ = scratch.take<Real>(plan.places * H);
            d_outputs_ = scratch.take<Real>(plan.places * P);
        }
        zeros_ = zeroed(scratch, kColumns * H > P ? kColumns * H : P);
        carry_h_ = scratch.take<Real>(B * P);
        if (kLstm) carry_c_ = scratch.take<Real>(B * H);
        // Gradients that are summed up along a row: one set for each row, added up in the end, so
        // that the number of workers changes no bit.
        if (f_.weights.peephole) peephole_ = zeroed(scratch, B * 3 * H);
        if (normed_) {
            gain_ih_ = zeroed(scratch, B * all);
            gain_hh_ = zeroed(scratch, B * all);
            if (kLstm) norm_c_ = zeroed(scratch, B * 2 * H);
        }

        rows_ = share_.by_units() ? B : ceil_div(B, share_.workers());
        stretch_ = 96 / rows_ > 1 ? 96 / rows_ : 1;
        if (stretch_ > e_.steps) stretch_ = e_.steps;
        for (int w = 0; w < share_.workers(); ++w) {
            Worker& worker = workers_[w];
            worker.operands = scratch.take<const Real*>(rows_);
            worker.projection_rows = scratch.take<const Real*>(projected_ ? rows_ : 0);
            worker.rows = scratch.take<BackRow<Real>>(rows_);
            worker.slopes = scratch.take<const Real*>(rows_ * stretch_);
            worker.dx = scratch.take<Real*>(rows_ * stretch_);
            worker.d_output = scratch.take<Real>(normed_ ? rows_ * H : 0);
            worker.row = scratch.take<Real>(normed_ ? 3 * H : 0);
        }
        common_ = {H, false, f_.masks.rate_h, f_.masks.rate_c, nullptr, f_.weights.peephole};
    }

    void run() {
        auto prepare = [this](int worker) { pack(worker); };
        parallel(share_.workers(), prepare);
        if (share_.by_units()) {
            auto work = [this](int worker, std::int64_t s) { step(worker, e_.steps - 1 - s); };
            in_step(share_.workers(), e_.steps, work);
            auto units = [this](int worker) { given_states(worker); };
            parallel(share_.workers(), units);
            auto rows = [this](int worker) { inputs_of_share(worker); };
            if (call_.dx.base) parallel(share_.workers(), rows);
        } else {
            auto work = [this](int worker) {
                for (std::int64_t s = e_.steps - 1; s >= 0; --s) {
                    step(worker, s);
                    if (call_.dx.base && s % stretch_ == 0) inputs_of_stretch(worker, s);
                }
                given_states(worker);
            };
            parallel(share_.workers(), work);
        }
        for (std::int64_t rank = 0; rank < e_.batch; ++rank) finish(rank);
        add_up(call_.d_peephole, peephole_, 3 * e_.hidden);
        add_up(call_.d_gain_ih, gain_ih_, kGates * e_.hidden);
        add_up(call_.d_gain_hh, gain_hh_, kGates * e_.hidden);
        add_up(call_.d_norm_c, norm_c_, 2 * e_.hidden);
    }

    // dL/d of the gates' sums of a place, outside layer normalisation.
    const Real* gate_slopes_ih(std::int64_t place) const {
        return call_.dgates + (place * kColumns + first_column(kCell)) * e_.hidden;
    }
    const Real* gate_slopes_hh(std::int64_t place) const {
        return call_.dgates + place * kColumns * e_.hidden;
    }
    // dL/d W_ih x and dL/d W_hh h of a place, once the pass is over.
    const Real* slopes_ih(std::int64_t place) const {
        if (!normed_) return gate_slopes_ih(place);
        return f_.kept.normed_ih + place * kGates * e_.hidden;
    }
    const Real* slopes_hh(std::int64_t place) const {
        if (!normed_) return gate_slopes_hh(place);
        return f_.kept.normed_hh + place * kGates * e_.hidden;
    }
    // The h that entered step t, not masked; zeros where it was cut.
    const Real* h_before(std::int64_t t, std::int64_t rank) const {
        const Origin from = origin(plan_, t, rank);
        if (from.cut) return zeros_;
        if (from.first) return f_.h0 ? f_.h0 + plan_.row[rank] * e_.output : zeros_;
        return at(f_.y, plan_, from.before, rank);
    }
    // With a projection: what was projected, and the slope of the loss by what came out.
    const Real* outputs(std::int64_t place) const { return outputs_ + place * e_.hidden; }
    const Real* d_outputs(std::int64_t place) const { return d_outputs_ + place * e_.output; }

  private:
    struct Worker {
        const Real** operands;
        const Real** projection_rows;
        BackRow<Real>* rows;
        const Real** slopes;  // of the stretch
        Real** dx;
        Real* d_output;  // (rows, H) dL/d (o * tanh c), or dL/dh of a GRU or RNN
        Real* row;       // (3, H)
    };

    static Real* zeroed(Scratch& scratch, std::int64_t count) {
        Real* all = scratch.take<Real>(count);
        fill(all, count);
        return all;
    }

    static Layout<Real> plain(std::int64_t size, std::int64_t columns) {
        const int vecs = plain_vecs<Real>(columns);
        return {size, vecs, 1, ceil_div(columns, vecs * L)};
    }

    Sums lone() const { return e_.batch == 1 ? Sums::lone : Sums::grouped; }

    Panels<Real> hh_panels() const {
        return hh_in_place_ ? panels_in_place(hh_, f_.weights.hh, e_.output)
                            : panels_of(hh_, static_cast<const Real*>(hh_data_));
    }
    Panels<Real> ih_panels() const {
        return ih_in_place_ ? panels_in_place(ih_, f_.weights.ih, e_.input)
                            : panels_of(ih_, static_cast<const Real*>(ih_data_));
    }

    void pack(int worker) {
        // A GRU's slopes by the recurrent sums stand in the order n, r, z.
        const std::int64_t shift = kGru && !normed_ ? 2 * e_.hidden : 0;
        if (hh_data_) {
            pack_columns(f_.weights.hh, e_.output, shift, hh_, share_.part(worker, hh_.blocks),
                         share_.part(worker + 1, hh_.blocks), hh_data_);
        }
        if (ih_data_) {
            pack_columns(f_.weights.ih, e_.input, 0, ih_, share_.part(worker, ih_.blocks),
                         share_.part(worker + 1, ih_.blocks), ih_data_);
        }
        if (projected_) {
            pack_columns(f_.weights.hr, e_.hidden, 0, hr_, share_.part(worker, hr_.blocks),
                         share_.part(worker + 1, hr_.blocks), hr_data_);
        }
        for (std::int64_t rank = worker; rank < e_.batch; rank += share_.workers()) {
            const std::int64_t given = plan_.row[rank];
            copy(carry_h_ + rank * e_.output, call_.dhn, given, e_.output);
            if (kLstm) copy(carry_c_ + rank * e_.hidden, call_.dcn, given, e_.hidden);
        }
    }

    static void copy(Real* to, const Real* from, std::int64_t row, std::int64_t size) {
        for (std::int64_t k = 0; k < size; ++k) to[k] = from ? from[row * size + k] : Real(0);
    }

    // The step that comes after t in the direction of the layer, where the rank has one.
    bool after(std::int64_t t, std::int64_t rank, std::int64_t& next) const {
        next = e_.reverse ? t - 1 : t + 1;
        return next >= 0 && next < plan_.length[rank];
    }

    void step(int w, std::int64_t s) {
        Worker& worker = workers_[w];
        const std::int64_t t = step_at(plan_, s), count = share_.rows_at(w, t);
        bool nothing = true;
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t rank = share_.rank(w, i);
            std::int64_t next;
            worker.operands[i] = zeros_;
            if (after(t, rank, next) && !origin(plan_, next, rank).cut) {
                worker.operands[i] = slopes_hh(place_of(plan_, next, rank));
                nothing = false;
            }
            set_row(worker.rows[i], t, rank);
        }
        // To the last step of all rows nothing comes back.
        const Panels<Real> panels =
            nothing ? Panels<Real>{zeros_, 0, hh_.vecs, 1, hh_.blocks, 0, 0} : hh_panels();
        const auto use = [&](std::int64_t block, std::int64_t first, int n, const Real* out) {
            for_units(hh_, block, e_.output, n, out,
                      [&](int r, std::int64_t j, int count, Vec<Real> product) __attribute__((
                          always_inline)) { after_product(worker, first + r, j, count, product); });
        };
        multiply(panels, share_.first_block(w, hh_.blocks), share_.last_block(w, hh_.blocks),
                 worker.operands, 0, count, lone(), use);
        if (projected_) through_projection(worker, w, t, count);
        if (normed_) {
            for (std::int64_t i = 0; i < count; ++i) row_normed(worker, w, i, t);
        }
    }

    // Calls body(row, j, count, product) for each vector of a block of plain columns.
    template <class Body>
    static inline __attribute__((always_inline)) void for_units(const Layout<Real>& layout,
                                                                std::int64_t block,
                                                                std::int64_t columns, int n,
                                                                const Real* out, Body body) {
        for (int r = 0; r < n; ++r) {
            for (int vec = 0; vec < layout.vecs; ++vec) {
                const std::int64_t j = (block * layout.vecs + vec) * L;
                if (j >= columns) break;
                const Vec<Real> product = load(out + (r * layout.vecs + vec) * L);
                if (columns - j >= L) {
                    body(r, j, L, product);
                } else {
                    body(r, j, static_cast<int>(columns - j), product);
                }
            }
        }
    }

    void set_row(BackRow<Real>& row, std::int64_t t, std::int64_t rank) {
        const std::int64_t H = e_.hidden, P = e_.output, given = plan_.row[rank];
        const std::int64_t place = place_of(plan_, t, rank);
        const Origin from = origin(plan_, t, rank);
        row.place = place;
        row.slopes = call_.dgates + place * kColumns * H;
        if constexpr (is_rnn(kCell)) {
            row.gates = f_.kept.gates ? f_.kept.gates + place * H : at(f_.y, plan_, t, rank);
        } else {
            row.gates = f_.kept.gates + place * kColumns * H;
        }
        row.h_before = h_before(t, rank);
        row.dy = call_.dy.base ? at(call_.dy, plan_, t, rank) : nullptr;
        row.carry_h = carry_h_ + rank * P;
        row.recurrent = f_.masks.recurrent ? f_.masks.recurrent + given * P : nullptr;
        row.keep_h = f_.masks.zoneout_h ? f_.masks.zoneout_h + place * P : nullptr;
        row.cut = from.cut;
        row.dh = call_.dh ? call_.dh + place * P : nullptr;
        if constexpr (kLstm) {
            row.c_before = from.cut     ? zeros_
                           : from.first ? (f_.c0 ? f_.c0 + given * H : zeros_)
                                        : f_.kept.cells + place_of(plan_, from.before, rank) * H;
            row.dcells = call_.dcells ? call_.dcells + place * H : nullptr;
            row.carry_c = carry_c_ + rank * H;
            row.keep_c = f_.masks.zoneout_c ? f_.masks.zoneout_c + place * H : nullptr;
            row.dc = call_.dc ? call_.dc + place * H : nullptr;
            row.d_peephole = peephole_ ? peephole_ + rank * 3 * H : nullptr;
        }
    }

    inline __attribute__((always_inline)) void after_product(Worker& worker, std::int64_t i,
                                                             std::int64_t j, int count,
                                                             Vec<Real> product) {
        const BackRow<Real>& row = worker.rows[i];
        Vec<Real> carry;
        const Vec<Real> dh =
            past_zoneout(row, common_.rate_h, j, count, all_of_dh(row, j, count, product), carry);
        if (kLstm || normed_) {
            store_some(row.carry_h + j, row.cut ? Vec<Real>{} : carry, count);
        }
        if (projected_) {
            return store_some(d_outputs_ + row.place * e_.output + j, dh, count);
        }
        if (normed_) return store_some(worker.d_output + i * e_.hidden + j, dh, count);
        if constexpr (kLstm) {
            lstm_plain(row, j, count, dh);
        } else if constexpr (kGru) {
            gru_slopes(row, common_, j, count, dh, carry);
        } else {
            rnn_slopes<kCell>(row, j, count, dh, carry);
        }
    }

    inline __attribute__((always_inline)) void lstm_plain(const BackRow<Real>& row, std::int64_t j,
                                                          int count, Vec<Real> dh) {
        const LstmKept<Real> k = lstm_kept(row, e_.hidden, j, count);
        const Vec<Real> squashed = tanh(k.c);
        if (projected_) {
            store_some(outputs_ + row.place * e_.hidden + j, k.o * squashed, count);
        }
        lstm_slopes(row, common_, j, count, k, dh * squashed, dh * k.o * (1 - squashed * squashed));
    }

    void through_projection(Worker& worker, int w, std::int64_t t, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            worker.projection_rows[i] =
                d_outputs_ + place_of(plan_, t, share_.rank(w, i)) * e_.output;
        }
        const auto use = [&](std::int64_t block, std::int64_t first, int n, const Real* out) {
            for_units(hr_, block, e_.hidden, n, out,
                      [&](int r, std::int64_t j, int count, Vec<Real> dh)
                          __attribute__((always_inline)) {
                              const std::int64_t i = first + r;
                              if (normed_) {
                                  store_some(worker.d_output + i * e_.hidden + j, dh, count);
                              } else if constexpr (kLstm) {
                                  lstm_plain(worker.rows[i], j, count, dh);
                              }
                          });
        };
        multiply(panels_of(hr_, hr_data_), 0, hr_.blocks, worker.projection_rows, 0, count, lone(),
                 use);
    }

    // With layer normalisation: the equations for a whole row, then back through both norms.
    void row_normed(Worker& worker, int w, std::int64_t i, std::int64_t t) {
        const std::int64_t H = e_.hidden, rank = share_.rank(w, i),
                           place = place_of(plan_, t, rank);
        const BackRow<Real>& row = worker.rows[i];
        const Real* d_output = worker.d_output + i * H;
        if constexpr (kLstm) {
            lstm_normed(worker, row, d_output, rank, place);
        } else {
            for_vectors<Real>(H, [&](std::int64_t j, int count) __attribute__((always_inline)) {
                const Vec<Real> dh = load_some(d_output + j, count);
                const Vec<Real> carry = load_some(row.carry_h + j, count);
                if constexpr (kGru) {
                    gru_slopes(row, common_, j, count, dh, carry);
                } else {
                    rnn_slopes<kCell>(row, j, count, dh, carry);
                }
            });
        }
        for (int group = 0; group < (kGru ? 2 : 1); ++group) {
            const std::int64_t from = group * 2 * H;
            const std::int64_t size = (kGru ? (group == 0 ? 2 : 1) : kGates) * H;
            // A GRU's slopes: n of the recurrent part first, then r, z, then n of the input's.
            const Real* by_input = row.slopes + first_column(kCell) * H + from;
            const Real* by_state = kGru ? row.slopes + (group == 0 ? H : 0) : row.slopes;
            denormalise(f_.kept.normed_ih + place * kGates * H + from, by_input,
                        f_.weights.gain_ih + from, f_.kept.scale_ih[place * 2 + group], size,
                        gain_ih_ + rank * kGates * H + from);
            denormalise(f_.kept.normed_hh + place * kGates * H + from, by_state,
                        f_.weights.gain_hh + from, f_.kept.scale_hh[place * 2 + group], size,
                        gain_hh_ + rank * kGates * H + from);
        }
    }

    void lstm_normed(Worker& worker, const BackRow<Real>& row, const Real* d_output,
                     std::int64_t rank, std::int64_t place) {
        const std::int64_t H = e_.hidden;
        const Real mean = f_.kept.stats_c[place * 2], scale = f_.kept.stats_c[place * 2 + 1];
        const Real *gain = f_.weights.norm_c, *shift = gain + H;
        Real *normed = worker.row, *slopes = worker.row + H, *squashed = worker.row + 2 * H;
        Real *d_gain = norm_c_ + rank * 2 * H, *d_shift = d_gain + H;
        for_vectors<Real>(H, [&](std::int64_t j, int count) __attribute__((always_inline)) {
            const LstmKept<Real> k = lstm_kept(row, H, j, count);
            const Vec<Real> n = (k.c - mean) * scale;
            const Vec<Real> s = tanh(load_some(gain + j, count) * n + load_some(shift + j, count));
            const Vec<Real> d = load_some(d_output + j, count) * k.o * (1 - s * s);
            store_some(normed + j, n, count);
            store_some(slopes + j, d, count);
            store_some(squashed + j, s, count);
            store_some(d_shift + j, load_some(d_shift + j, count) + d, count);
            if (projected_) store_some(outputs_ + place * H + j, k.o * s, count);
        });
        denormalise(normed, slopes, gain, scale, H, d_gain);
        for_vectors<Real>(H, [&](std::int64_t j, int count) __attribute__((always_inline)) {
            const LstmKept<Real> k = lstm_kept(row, H, j, count);
            const Vec<Real> d_o = load_some(d_output + j, count) * load_some(squashed + j, count);
            lstm_slopes(row, common_, j, count, k, d_o, load_some(normed + j, count));
        });
    }

    void multiply_inputs(const Worker& worker, std::int64_t count) {
        const auto use = [&](std::int64_t block, std::int64_t first, int n, const Real* out) {
            for_units(ih_, block, e_.input, n, out,
                      [&](int r, std::int64_t j, int lanes, Vec<Real> product)
                          __attribute__((always_inline)) {
                              store_some(worker.dx[first + r] + j, product, lanes);
                          });
        };
        multiply(ih_panels(), 0, ih_.blocks, worker.slopes, 0, count, Sums::grouped, use);
    }

    // dL/dx for the steps from s to the end of its stretch.
    void inputs_of_stretch(int w, std::int64_t s) {
        Worker& worker = workers_[w];
        std::int64_t m = 0;
        for (std::int64_t k = s; k < s + stretch_ && k < e_.steps; ++k) {
            const std::int64_t t = step_at(plan_, k), count = share_.rows_at(w, t);
            for (std::int64_t i = 0; i < count; ++i, ++m) {
                const std::int64_t rank = share_.rank(w, i);
                worker.slopes[m] = slopes_ih(place_of(plan_, t, rank));
                worker.dx[m] = at(call_.dx, plan_, t, rank);
            }
        }
        multiply_inputs(worker, m);
    }

    // dL/dx for the worker's share of the steps: for teams by units, when all slopes are there.
    void inputs_of_share(int w) {
        Worker& worker = workers_[w];
        const std::int64_t from = share_.part(w, e_.steps);
        const std::int64_t to = share_.part(w + 1, e_.steps);
        for (std::int64_t begin = from; begin < to; begin += stretch_) {
            std::int64_t m = 0;
            for (std::int64_t t = begin; t < begin + stretch_ && t < to; ++t) {
                for (std::int64_t rank = 0; rank < plan_.active[t]; ++rank, ++m) {
                    worker.slopes[m] = slopes_ih(place_of(plan_, t, rank));
                    worker.dx[m] = at(call_.dx, plan_, t, rank);
                }
            }
            multiply_inputs(worker, m);
        }
    }

    // dL/dh0 and dL/dc0: what goes on from the first step of each row.
    void given_states(int w) {
        if (!call_.dh0 && !call_.dc0) return;
        Worker& worker = workers_[w];
        const std::int64_t count = share_.rows(w), P = e_.output, H = e_.hidden;
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t rank = share_.rank(w, i), length = plan_.length[rank];
            const std::int64_t t = e_.reverse ? length - 1 : 0;
            const bool reaches = length > 0 && !origin(plan_, t, rank).cut;
            worker.operands[i] = reaches ? slopes_hh(place_of(plan_, t, rank)) : zeros_;
        }
        const auto use = [&](std::int64_t block, std::int64_t first, int n, const Real* out) {
            for_units(hh_, block, P, n, out,
                      [&](int r, std::int64_t j, int lanes, Vec<Real> product)
                          __attribute__((always_inline)) {
                              const std::int64_t rank = share_.rank(w, first + r),
                                                 given = plan_.row[rank];
                              if (f_.masks.recurrent) {
                                  product *= load_some(f_.masks.recurrent + given * P + j, lanes);
                              }
                              product += load_some(carry_h_ + rank * P + j, lanes);
                              store_some(call_.dh0 + given * P + j, product, lanes);
                          });
        };
        if (call_.dh0) {
            multiply(hh_panels(), share_.first_block(w, hh_.blocks),
                     share_.last_block(w, hh_.blocks), worker.operands, 0, count, lone(), use);
        }
        if (kLstm && call_.dc0 && (!share_.by_units() || w == 0)) {
            for (std::int64_t i = 0; i < count; ++i) {
                const std::int64_t rank = share_.rank(w, i);
                __builtin_memcpy(call_.dc0 + plan_.row[rank] * H, carry_c_ + rank * H,
                                 static_cast<std::size_t>(H) * sizeof(Real));
            }
        }
    }

    // Zeros beyond the length of a rank.
    void finish(std::int64_t rank) {
        if (plan_.offset) return;
        for (std::int64_t t = plan_.length[rank]; t < e_.steps; ++t) {
            const std::int64_t place = place_of(plan_, t, rank);
            if (call_.dx.base) fill(at(call_.dx, plan_, t, rank), e_.input);
            if (call_.dh) fill(call_.dh + place * e_.output, e_.output);
            if (kLstm && call_.dc) fill(call_.dc + place * e_.hidden, e_.hidden);
        }
    }

    static void fill(Real* at, std::int64_t count) {
        for (std::int64_t k = 0; k < count; ++k) at[k] = 0;
    }

    void add_up(Real* total, const Real* of_rows, std::int64_t size) {
        if (!total || !of_rows) return;
        for (std::int64_t k = 0; k < size; ++k) total[k] = 0;
        for (std::int64_t rank = 0; rank < e_.batch; ++rank) {
            for (std::int64_t k = 0; k < size; ++k) total[k] += of_rows[rank * size + k];
        }
    }

    const Backward<Real>& call_;
    const Forward<Real>& f_;
    const Plan& plan_;
    const Extent& e_;
    const Share share_;
    bool normed_, projected_;
    bool hh_in_place_ = false, ih_in_place_ = false;
    Layout<Real> hh_, ih_, hr_;
    Real *hh_data_ = nullptr, *ih_data_ = nullptr, *hr_data_ = nullptr;
    Real *zeros_, *carry_h_, *carry_c_ = nullptr;
    Real *outputs_ = nullptr, *d_outputs_ = nullptr;
    Real *peephole_ = nullptr, *gain_ih_ = nullptr, *gain_hh_ = nullptr, *norm_c_ = nullptr;
    std::int64_t rows_, stretch_;
    Common<Real> common_;
    Worker workers_[kMaxWorkers];
};

}  // namespace unrolled::UNROLLED_ISA_NAMESPACE
