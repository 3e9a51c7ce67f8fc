// Compiled once: what costs here are branches and logarithms, not vectors.

#include "unrolled/ctc_prefix.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "threads.h"

namespace unrolled {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();
constexpr std::int32_t kNone = -1;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
// Far above the rounding of a score, far below a difference that counts: how much a quick bound
// leaves to the exact comparison.
constexpr double kSlack = 1e-6;
// A call of fewer frames than these, times the beam, is quicker on one thread.
constexpr std::int64_t kWorthThreads = 4096;

// log(exp(a) + exp(b)).
double add(double a, double b) {
    if (a < b) std::swap(a, b);
    // Below that, the sum rounds to the larger one; and -infinity is there.
    if (!(b - a > -37.0)) return a;
    return a + std::log1p(std::exp(b - a));
}

// Where an alignment comes from when it begins a new symbol.
struct Source {
    double best;
    std::int32_t path, last;
    float peak;
};

// What a frame makes of a prefix, before it is known whether it is kept.
struct Candidate {
    double score;
    std::int64_t order;  // of equal scores the lower is the better
    std::int32_t slot;   // of the member that stays, or is extended
    std::int32_t token;  // 0: it stays
};

bool better(const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.order < b.order;
}

// A member that stays, at this frame.
struct Stay {
    CtcMember member;
    std::int32_t parent;  // the slot of the prefix that it extends, or none
    bool entered;         // its best alignment begins its last symbol here
};

// The search of one sentence after the other, with memory of its own.
class Search {
  public:
    explicit Search(const CtcPrefix& call)
        : call_(call),
          slot_of_(call.node_room, kNone),
          first_child_(call.node_room),
          next_sibling_(call.node_room),
          place_(std::max(call.node_room, call.path_room)),
          totals_(call.beam),
          stays_(call.beam),
          members_(call.beam),
          next_(call.beam),
          taken_(call.beam * call.symbols),
          allowed_(call.symbols),
          gains_(call.symbols),
          added_(call.scores ? 2 * call.beam * call.symbols : 0, kUnknown),
          row_(call.beam),
          next_row_(call.beam),
          stayed_(call.beam) {
        chosen_.reserve(call.beam + 1);
        going_.reserve(call.symbols);
        values_.reserve(call.symbols);
    }

    void row(std::int64_t r) {
        nodes_ = call_.nodes + r * call_.node_room;
        paths_ = call_.paths + r * call_.path_room;
        std::int64_t* counts = call_.counts + 3 * r;
        node_count_ = counts[0], path_count_ = counts[1], count_ = counts[2];
        CtcMember* beam = call_.members + r * call_.beam;
        std::copy(beam, beam + count_, members_.begin());
        if (call_.scores) begin_rows();
        std::fill(first_child_.begin(), first_child_.begin() + node_count_, kNone);
        for (std::int64_t n = 1; n < node_count_; ++n) adopt(static_cast<std::int32_t>(n));

        const float* y = call_.log_probs + r * call_.log_probs_row;
        for (std::int64_t t = 0; t < call_.lengths[r]; ++t)
            frame(y + t * call_.log_probs_time, static_cast<std::int32_t>(call_.frames[r] + t));

        call_.frames[r] += call_.lengths[r];
        drop_nodes();
        drop_paths();
        std::copy(members_.begin(), members_.begin() + count_, beam);
        counts[0] = node_count_, counts[1] = path_count_, counts[2] = count_;
    }

  private:
    void adopt(std::int32_t node) {
        std::int32_t& first = first_child_[nodes_[node].parent];
        next_sibling_[node] = first;
        first = node;
    }

    std::int32_t token_of(const CtcMember& member) const { return nodes_[member.node].token; }

    double extension(std::int32_t token) const {
        return call_.extension ? call_.extension[token] : 0.0;
    }

    // What symbol c adds to the prefix of a member, looked up once for each. A row belongs to a
    // member while it is in the beam.
    double added(std::int64_t slot, std::int32_t c) {
        if (!call_.scores) return extension(c);
        double& value = added_[row_[slot] * call_.symbols + c];
        if (std::isnan(value)) {
            PrefixPlace after;
            value = extension(c) + extended(*call_.scores, place_of(slot), c, &after);
        }
        return value;
    }

    PrefixPlace place_of(std::int64_t slot) const { return nodes_[members_[slot].node].place; }

    void begin_rows() {
        free_.clear();
        for (std::int64_t row = 2 * call_.beam; row-- > 0;) free_.push_back(row);
        for (std::int64_t k = 0; k < count_; ++k) row_[k] = new_row();
    }

    std::int64_t new_row() {
        const std::int64_t row = free_.back();
        free_.pop_back();
        std::fill_n(added_.begin() + row * call_.symbols, call_.symbols, kUnknown);
        return row;
    }

    void frame(const float* y, std::int32_t t) {
        allow(y);
        for (std::int64_t k = 0; k < count_; ++k) {
            slot_of_[members_[k].node] = static_cast<std::int32_t>(k);
            totals_[k] = add(members_[k].blank, members_[k].symbol);
        }
        chosen_.clear();
        for (std::int64_t k = 0; k < count_; ++k) stay(y, t, static_cast<std::int32_t>(k));
        mark_taken(true);
        extend(y);
        mark_taken(false);
        for (std::int64_t k = 0; k < count_; ++k) slot_of_[members_[k].node] = kNone;
        std::sort(chosen_.begin(), chosen_.end(), better);
        go_on(y, t);
    }

    // Which symbols may extend a prefix at this frame, as flags and as an ascending list.
    void allow(const float* y) {
        const float best = *std::max_element(y, y + call_.symbols);
        const double cut = best - call_.threshold;
        float least = -std::numeric_limits<float>::infinity();
        std::int64_t equals = call_.symbols;
        if (call_.most_symbols < call_.symbols - 1) {
            values_.assign(y + 1, y + call_.symbols);
            const auto at = values_.begin() + (call_.most_symbols - 1);
            std::nth_element(values_.begin(), at, values_.end(), std::greater<float>());
            least = *at;
            equals = call_.most_symbols;
            for (const float value : values_) equals -= value > least;
        }
        going_.clear();
        for (std::int64_t c = 1; c < call_.symbols; ++c) {
            bool goes = y[c] > kNever && y[c] >= cut && y[c] >= least;
            if (goes && y[c] == least) goes = equals-- > 0;
            allowed_[c] = goes;
            if (goes) going_.push_back(static_cast<std::int32_t>(c));
        }
    }

    double from(std::int64_t slot, std::int32_t token) const {
        return token_of(members_[slot]) == token ? members_[slot].blank : totals_[slot];
    }

    Source source(std::int64_t slot, std::int32_t token, std::int32_t t) const {
        const CtcMember& m = members_[slot];
        if (token_of(m) == token || m.best_blank >= m.best_symbol)
            return {m.best_blank, m.path_blank, m.last, m.peak_blank};
        return {m.best_symbol, m.path_symbol, t - 1, m.peak_symbol};
    }

    void stay(const float* y, std::int32_t t, std::int32_t slot) {
        const CtcMember& m = members_[slot];
        const std::int32_t token = token_of(m);
        Stay& stays = stays_[slot];
        CtcMember& to = stays.member;
        to = m;
        to.blank = totals_[slot] + y[0];
        to.best_blank = std::max(m.best_blank, m.best_symbol) + y[0];
        if (m.best_symbol > m.best_blank) {
            to.path_blank = m.path_symbol;
            to.last = t - 1;
            to.peak_blank = m.peak_symbol;
        }
        stays.parent = kNone;
        stays.entered = false;
        if (token) {
            to.symbol = m.symbol + y[token];
            to.best_symbol = m.best_symbol + y[token];
            to.peak_symbol = std::max(m.peak_symbol, y[token]);
            stays.parent = slot_of_[nodes_[m.node].parent];
            if (stays.parent != kNone && allowed_[token]) {
                to.symbol = add(to.symbol, from(stays.parent, token) + y[token]);
                const double best = source(stays.parent, token, t).best + y[token];
                if (best > to.best_symbol) {
                    to.best_symbol = best;
                    to.peak_symbol = y[token];
                    stays.entered = true;
                }
            }
        }
        const double score = add(to.blank, to.symbol) + m.bonus;
        if (score > kNever) chosen_.push_back({score, slot, slot, 0});
    }

    // Extensions that are in the beam already have had their share.
    void mark_taken(bool taken) {
        for (std::int64_t k = 0; k < count_; ++k) {
            const std::int32_t parent = stays_[k].parent;
            if (parent != kNone) taken_[parent * call_.symbols + token_of(members_[k])] = taken;
        }
    }

    // Puts the best extensions among the chosen, in the place of worse ones where the beam is full.
    void extend(const float* y) {
        std::make_heap(chosen_.begin(), chosen_.end(), better);  // the worst comes first
        for (const std::int32_t c : going_) gains_[c] = y[c] + extension(c);
        if (call_.scores)
            extend_scored(y);
        else
            extend_plain(y);
    }

    // What a score must reach to be among the chosen, and a little less.
    double bound() const {
        const bool full = static_cast<std::int64_t>(chosen_.size()) == call_.beam;
        return full ? chosen_.front().score - kSlack : kNever;
    }

    void extend_plain(const float* y) {
        double most = kNever;
        for (const std::int32_t c : going_) most = std::max(most, gains_[c]);
        const double highest = totals_[0] + members_[0].bonus, least = bound();
        if (least > kNever) {
            const auto hopeless = [&](std::int32_t c) { return highest + gains_[c] < least; };
            going_.erase(std::remove_if(going_.begin(), going_.end(), hopeless), going_.end());
        }
        for (std::int64_t k = 0; k < count_; ++k) {
            if (totals_[k] + members_[k].bonus + most < bound()) continue;
            for (const std::int32_t c : going_) offer(y, k, c);
        }
    }

    // What a symbol adds is looked up where it may come in. Letters come best first, so that the
    // rest is passed over at once.
    void extend_scored(const float* y) {
        letters_.clear(), ends_.clear(), longer_.clear();
        for (const std::int32_t c : going_) {
            const std::int32_t* first = call_.scores->letters_begin + c;
            if (first[1] - first[0] != 1)
                longer_.push_back(c);
            else
                (call_.scores->letters[*first] ? letters_ : ends_).push_back(c);
        }
        std::sort(letters_.begin(), letters_.end(),
                  [&](std::int32_t a, std::int32_t b) { return gains_[a] > gains_[b]; });
        for (std::int64_t k = 0; k < count_; ++k) {
            const double had = totals_[k] + members_[k].bonus;
            const AtMost most = extended_at_most(*call_.scores, place_of(k));
            for (const std::int32_t c : letters_) {
                if (had + gains_[c] + most.letter < bound()) break;
                offer(y, k, c);
            }
            for (const std::int32_t c : ends_)
                if (had + gains_[c] + most.end >= bound()) offer(y, k, c);
            for (const std::int32_t c : longer_) offer(y, k, c);
        }
    }

    void offer(const float* y, std::int64_t k, std::int32_t c) {
        if (taken_[k * call_.symbols + c]) return;
        const double score = from(k, c) + y[c] + (members_[k].bonus + added(k, c));
        if (!(score > kNever)) return;
        const Candidate one = {score, call_.beam + k * call_.symbols + c,
                               static_cast<std::int32_t>(k), c};
        const auto size = static_cast<std::size_t>(call_.beam);
        if (chosen_.size() == size && !better(one, chosen_.front())) return;
        chosen_.push_back(one);
        std::push_heap(chosen_.begin(), chosen_.end(), better);
        if (chosen_.size() > size) {
            std::pop_heap(chosen_.begin(), chosen_.end(), better);
            chosen_.pop_back();
        }
    }

    // Makes the chosen the beam.
    void go_on(const float* y, std::int32_t t) {
        for (std::size_t i = 0; i < chosen_.size(); ++i) {
            const Candidate& one = chosen_[i];
            CtcMember& to = next_[i];
            if (!one.token) {
                const Stay& stays = stays_[one.slot];
                to = stays.member;
                if (stays.entered) to.path_symbol = begin(source(stays.parent, token_of(to), t), t);
                continue;
            }
            const CtcMember& parent = members_[one.slot];
            const Source source = this->source(one.slot, one.token, t);
            to.blank = to.best_blank = kNever;
            to.symbol = from(one.slot, one.token) + y[one.token];
            to.best_symbol = source.best + y[one.token];
            to.bonus = parent.bonus + added(one.slot, one.token);
            to.node = child_of(parent.node, one.token);
            to.path_blank = to.last = kNone;
            to.path_symbol = begin(source, t);
            to.peak_blank = 0;
            to.peak_symbol = y[one.token];
        }
        if (call_.scores) hand_over_rows();
        count_ = static_cast<std::int64_t>(chosen_.size());
        members_.swap(next_);
    }

    void hand_over_rows() {
        std::fill(stayed_.begin(), stayed_.end(), false);
        for (const Candidate& one : chosen_)
            if (!one.token) stayed_[one.slot] = true;
        for (std::int64_t k = 0; k < count_; ++k)
            if (!stayed_[k]) free_.push_back(row_[k]);
        for (std::size_t i = 0; i < chosen_.size(); ++i)
            next_row_[i] = chosen_[i].token ? new_row() : row_[chosen_[i].slot];
        row_.swap(next_row_);
    }

    std::int32_t begin(const Source& source, std::int32_t t) {
        paths_[path_count_] = {source.path, t, source.last, source.peak};
        return static_cast<std::int32_t>(path_count_++);
    }

    // One node for each prefix: it may have left the beam while longer ones stayed.
    std::int32_t child_of(std::int32_t node, std::int32_t token) {
        for (std::int32_t n = first_child_[node]; n != kNone; n = next_sibling_[n])
            if (nodes_[n].token == token) return n;
        const auto made = static_cast<std::int32_t>(node_count_++);
        PrefixPlace place = {0, 0, 0};
        if (call_.scores) extended(*call_.scores, nodes_[node].place, token, &place);
        nodes_[made] = {node, token, place};
        first_child_[made] = kNone;
        adopt(made);
        return made;
    }

    // Whatever is needed moves forward over what is not; a beginning stands before what goes on
    // from it, so one pass finds every new place.
    void drop_nodes() {
        std::fill(place_.begin(), place_.begin() + node_count_, kNone);
        place_[0] = 0;
        for (std::int64_t k = 0; k < count_; ++k)
            for (std::int32_t n = members_[k].node; place_[n] == kNone; n = nodes_[n].parent)
                place_[n] = 0;
        std::int32_t kept = 1;
        for (std::int64_t n = 1; n < node_count_; ++n) {
            if (place_[n] == kNone) continue;
            nodes_[kept] = {place_[nodes_[n].parent], nodes_[n].token, nodes_[n].place};
            place_[n] = kept++;
        }
        node_count_ = kept;
        for (std::int64_t k = 0; k < count_; ++k) members_[k].node = place_[members_[k].node];
    }

    void drop_paths() {
        std::fill(place_.begin(), place_.begin() + path_count_, kNone);
        const auto need = [&](std::int32_t p) {
            for (; p != kNone && place_[p] == kNone; p = paths_[p].previous) place_[p] = 0;
        };
        for (std::int64_t k = 0; k < count_; ++k) {
            need(members_[k].path_blank);
            need(members_[k].path_symbol);
        }
        std::int32_t kept = 0;
        const auto moved = [&](std::int32_t p) { return p == kNone ? kNone : place_[p]; };
        for (std::int64_t p = 0; p < path_count_; ++p) {
            if (place_[p] == kNone) continue;
            paths_[kept] = paths_[p];
            paths_[kept].previous = moved(paths_[p].previous);
            place_[p] = kept++;
        }
        path_count_ = kept;
        for (std::int64_t k = 0; k < count_; ++k) {
            members_[k].path_blank = moved(members_[k].path_blank);
            members_[k].path_symbol = moved(members_[k].path_symbol);
        }
    }

    const CtcPrefix& call_;
    CtcNode* nodes_;
    CtcPath* paths_;
    std::int64_t node_count_, path_count_, count_;
    std::vector<std::int32_t> slot_of_, first_child_, next_sibling_, place_;
    std::vector<double> totals_;
    std::vector<Stay> stays_;
    std::vector<CtcMember> members_, next_;
    std::vector<char> taken_;    // (K, 1 + V)
    std::vector<char> allowed_;  // (1 + V,)
    std::vector<double> gains_;  // (1 + V,)
    std::vector<double> added_;  // (2 K, 1 + V): more rows than members, so that one is always free
    std::vector<std::int64_t> row_, next_row_, free_;
    std::vector<char> stayed_;
    std::vector<Candidate> chosen_;
    std::vector<std::int32_t> going_, letters_, ends_, longer_;
    std::vector<float> values_;
};

}  // namespace

void ctc_prefix(const CtcPrefix& call) {
    std::int64_t frames = 0;
    for (std::int64_t r = 0; r < call.batch; ++r) frames += call.lengths[r];
    const std::int64_t most = frames * call.beam < kWorthThreads ? 1 : call.threads;
    const auto workers = static_cast<int>(std::min(most, call.batch));
    std::vector<Search> searches;
    searches.reserve(workers);
    for (int w = 0; w < workers; ++w) searches.emplace_back(call);
    auto work = [&](int w) {
        for (std::int64_t r = w; r < call.batch; r += workers) searches[w].row(r);
    };
    parallel(workers, work);
}

}  // namespace unrolled
