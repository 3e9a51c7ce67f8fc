#include "unrolled/ngram.h"

#include <map>
#include <vector>

namespace unrolled::oracle {

namespace {

using Gram = std::vector<std::int32_t>;

// What the trie holds of a gram, found by its tokens.
struct Entry {
    std::int32_t node;
    double log_prob, backoff;
};

class Model {
  public:
    explicit Model(const NGram& m) : grams_(m.nodes) {
        for (std::int64_t n = 0; n < m.nodes; ++n) {
            entries_[grams_[n]] = {static_cast<std::int32_t>(n), m.log_prob[n], m.backoff[n]};
            for (std::int64_t c = m.first_child[n]; c < m.first_child[n + 1]; ++c) {
                grams_[c] = grams_[n];
                grams_[c].push_back(m.token[c]);
            }
        }
        for (const auto& [gram, entry] : entries_)
            if (!gram.empty()) extended_[Gram(gram.begin(), gram.end() - 1)] = true;
    }

    const Gram& gram(std::int32_t node) const { return grams_[node]; }

    // log10 p(token | context), by the equation.
    double log_prob(Gram context, std::int32_t token) const {
        Gram gram = context;
        gram.push_back(token);
        if (const auto found = entries_.find(gram); found != entries_.end())
            return found->second.log_prob;
        const auto known = entries_.find(context);
        const double backoff = known == entries_.end() ? 0.0 : known->second.backoff;
        return backoff + log_prob(Gram(context.begin() + 1, context.end()), token);
    }

    // The node of the longest end of a gram that matters as a context.
    std::int32_t state(Gram gram) const {
        while (!gram.empty()) {
            const auto found = entries_.find(gram);
            if (found != entries_.end() && (extended_.count(gram) || found->second.backoff != 0.0))
                return found->second.node;
            gram.erase(gram.begin());
        }
        return 0;
    }

  private:
    std::vector<Gram> grams_;
    std::map<Gram, Entry> entries_;
    std::map<Gram, bool> extended_;
};

}  // namespace

void ngram_scores(const NGramScores& call) {
    const Model model(call.model);
    for (std::int64_t s = 0; s < call.sentences; ++s) {
        Gram context = model.gram(call.states[s]);
        for (std::int64_t t = call.offsets[s]; t < call.offsets[s + 1]; ++t) {
            call.log_probs[t] = kLn10 * model.log_prob(context, call.tokens[t]);
            context.push_back(call.tokens[t]);
        }
        call.states[s] = model.state(context);
    }
}

}  // namespace unrolled::oracle
