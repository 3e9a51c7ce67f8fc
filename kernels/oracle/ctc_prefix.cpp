#include "unrolled/ctc_prefix.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace unrolled::oracle {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

using Prefix = std::vector<std::int64_t>;

// An alignment: its log-probability, and the frames of each symbol.
struct Alignment {
    double log = kNever;
    Prefix first, last;
};

struct Entry {
    double blank = kNever, symbol = kNever, bonus = 0.0;
    Alignment best_blank, best_symbol;
    std::int64_t order = 0;
};

// log(exp(a) + exp(b)), also of numbers whose powers are not normal.
double add(double a, double b) {
    const double most = std::max(a, b);
    if (most == kNever) return kNever;
    return most + std::log(std::exp(a - most) + std::exp(b - most));
}

void take_better(Alignment& of, Alignment other) {
    if (other.log > of.log) of = std::move(other);
}

}  // namespace

void ctc_prefix(const CtcPrefix& call) {
    const std::int64_t S = call.symbols;
    std::vector<std::pair<Prefix, Entry>> beam(1);
    beam[0].second.blank = beam[0].second.best_blank.log = 0.0;
    for (std::int64_t t = 0; t < call.steps; ++t) {
        const double* y = call.log_probs + t * S;
        std::vector<std::int64_t> ranked;
        for (std::int64_t c = 1; c < S; ++c) ranked.push_back(c);
        std::stable_sort(ranked.begin(), ranked.end(),
                         [&](std::int64_t a, std::int64_t b) { return y[a] > y[b]; });
        if (static_cast<std::int64_t>(ranked.size()) > call.most_symbols)
            ranked.resize(call.most_symbols);
        const double cut = *std::max_element(y, y + S) - call.threshold;
        const auto goes = [&](std::int64_t c) {
            return y[c] >= cut && std::find(ranked.begin(), ranked.end(), c) != ranked.end();
        };

        std::map<Prefix, Entry> next;
        for (std::size_t k = 0; k < beam.size(); ++k) {
            const auto& [prefix, entry] = beam[k];
            Entry& to = next[prefix];
            to.bonus = entry.bonus;
            to.order = static_cast<std::int64_t>(k);
            to.blank = add(entry.blank, entry.symbol) + y[0];
            to.best_blank = entry.best_blank;
            take_better(to.best_blank, entry.best_symbol);
            to.best_blank.log += y[0];
            if (prefix.empty()) continue;
            to.symbol = entry.symbol + y[prefix.back()];
            to.best_symbol = entry.best_symbol;
            to.best_symbol.log += y[prefix.back()];
            if (to.best_symbol.log > kNever) to.best_symbol.last.back() = t;
        }
        for (std::size_t k = 0; k < beam.size(); ++k) {
            const auto& [prefix, entry] = beam[k];
            for (std::int64_t c = 1; c < S; ++c) {
                if (!goes(c)) continue;
                const bool again = !prefix.empty() && prefix.back() == c;
                Prefix longer = prefix;
                longer.push_back(c);
                const bool there = next.count(longer) != 0;
                Entry& to = next[longer];
                if (!there) {
                    to.bonus = entry.bonus + (call.extension ? call.extension[c] : 0.0);
                    to.order = call.beam + static_cast<std::int64_t>(k) * S + c;
                }
                const double from = again ? entry.blank : add(entry.blank, entry.symbol);
                to.symbol = add(to.symbol, from + y[c]);
                Alignment best = entry.best_blank;
                if (!again) take_better(best, entry.best_symbol);
                best.log += y[c];
                best.first.push_back(t);
                best.last.push_back(t);
                take_better(to.best_symbol, best);
            }
        }

        beam.clear();
        for (auto& [prefix, entry] : next)
            if (add(entry.blank, entry.symbol) > kNever) beam.emplace_back(prefix, entry);
        std::sort(beam.begin(), beam.end(), [](const auto& a, const auto& b) {
            const double x = add(a.second.blank, a.second.symbol) + a.second.bonus;
            const double other = add(b.second.blank, b.second.symbol) + b.second.bonus;
            return x != other ? x > other : a.second.order < b.second.order;
        });
        if (static_cast<std::int64_t>(beam.size()) > call.beam) beam.resize(call.beam);
    }

    *call.count = static_cast<std::int64_t>(beam.size());
    for (std::size_t k = 0; k < beam.size(); ++k) {
        const auto& [prefix, entry] = beam[k];
        Alignment best = entry.best_blank;
        take_better(best, entry.best_symbol);
        call.totals[k] = add(entry.blank, entry.symbol);
        call.bests[k] = best.log;
        call.lengths[k] = static_cast<std::int64_t>(prefix.size());
        for (std::size_t i = 0; i < prefix.size(); ++i) {
            call.tokens[k * call.steps + i] = prefix[i];
            call.first_frame[k * call.steps + i] = best.first[i];
            call.last_frame[k * call.steps + i] = best.last[i];
        }
    }
}

}  // namespace unrolled::oracle
