#include "unrolled/prefix_scores.h"

#include <algorithm>
#include <limits>

namespace unrolled {

namespace {

// The child of a node of the words' trie, or -1.
std::int32_t longer(const PrefixScores& s, std::int32_t node, std::int32_t letter) {
    std::int32_t low = s.trie_first[node], high = s.trie_first[node + 1];
    while (low < high) {
        const std::int32_t middle = low + (high - low) / 2;
        if (s.trie_letter[middle] < letter)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s.trie_first[node + 1] && s.trie_letter[low] == letter ? low : -1;
}

// What the letters of a word that goes on have added.
double ahead(const PrefixScores& s, std::int32_t word) {
    if (word == 0) return 0.0;
    if (word > 0) return s.weight * s.trie_best[word];
    return s.weight * kLn10 * s.model.log_prob[1 + s.unknown_token] + s.unknown;
}

double by_words(const PrefixScores& s, std::int32_t letter, PrefixPlace* at) {
    const double had = ahead(s, at->word);
    if (letter) {
        if (at->word >= 0) at->word = longer(s, at->word, letter);
        return ahead(s, at->word) - had;
    }
    if (at->word == 0) return 0.0;
    const std::int32_t word = at->word > 0 ? s.trie_word[at->word] : -1;
    const bool known = word >= 0;
    const double log = step(s.model, at->context, known ? word : s.unknown_token, &at->context);
    at->word = 0;
    return s.weight * log + s.word_bonus + (known ? 0.0 : s.unknown) - had;
}

double by_letters(const PrefixScores& s, std::int32_t letter, PrefixPlace* at) {
    const std::int32_t token = s.letter_tokens[letter];
    double added = s.weight * step(s.model, at->context, token, &at->context);
    if (token == s.unknown_token) added += s.unknown;
    if (!letter && at->word) added += s.word_bonus;
    at->word = letter ? -1 : 0;
    return added;
}

double of_letter(const PrefixScores& s, std::int32_t letter, PrefixPlace* at) {
    double added = 0.0;
    if (s.model.nodes) {
        added = s.letter_tokens ? by_letters(s, letter, at) : by_words(s, letter, at);
    } else {
        // Words are counted all the same.
        if (!letter && at->word) added = s.word_bonus;
        at->word = letter ? -1 : 0;
    }
    if (s.hot_next) {
        const std::int64_t way = static_cast<std::int64_t>(at->hot) * (1 + s.alphabet) + letter;
        added += s.hot_gain[way];
        at->hot = s.hot_next[way];
    }
    return added;
}

}  // namespace

double extended(const PrefixScores& s, PrefixPlace place, std::int32_t symbol, PrefixPlace* after) {
    if (s.single_spaces && !place.word && !s.letters[s.letters_begin[symbol]]) {
        *after = place;
        return -std::numeric_limits<double>::infinity();
    }
    double added = 0.0;
    for (std::int32_t i = s.letters_begin[symbol]; i < s.letters_begin[symbol + 1]; ++i)
        added += of_letter(s, s.letters[i], &place);
    *after = place;
    return added;
}

AtMost extended_at_most(const PrefixScores& s, PrefixPlace place) {
    AtMost most = {0.0, 0.0};
    if (s.model.nodes && s.letter_tokens) {
        most.letter = std::max(0.0, s.unknown);
        most.end = std::max(0.0, s.word_bonus) + most.letter;
    } else if (s.model.nodes) {
        // More letters leave fewer words, none of which is likelier than the best before; or none.
        const double had = ahead(s, place.word);
        most.letter = std::max(0.0, ahead(s, -1) - had);
        most.end = std::max(0.0, s.word_bonus + std::max(0.0, s.unknown) - had);
    } else {
        most.end = std::max(0.0, s.word_bonus);
    }
    if (s.hot_next) most.letter += s.hot_most, most.end += s.hot_most;
    return most;
}

double ended(const PrefixScores& s, PrefixPlace place) {
    double added = 0.0;
    if (place.word) {
        if (s.model.nodes && s.letter_tokens)
            added += s.word_bonus;  // a model over letters has no space before the end
        else if (s.model.nodes)
            added += by_words(s, 0, &place);
        else
            added += s.word_bonus;
    }
    if (s.model.nodes) {
        std::int32_t after;
        added += s.weight * step(s.model, place.context, s.end_token, &after);
    }
    if (s.hot_next) {
        const std::int64_t way = static_cast<std::int64_t>(place.hot) * (1 + s.alphabet);
        added += s.hot_gain[way] - s.hot_pending[s.hot_next[way]];
    }
    return added;
}

void prefix_scores(const PrefixScoresOf& call) {
    for (std::int64_t n = 0; n < call.sentences; ++n) {
        PrefixPlace& place = call.places[n];
        for (std::int64_t i = call.offsets[n]; i < call.offsets[n + 1]; ++i)
            call.added[i] = extended(*call.scores, place, call.symbols[i], &place);
        call.at_end[n] = ended(*call.scores, place);
    }
}

}  // namespace unrolled
