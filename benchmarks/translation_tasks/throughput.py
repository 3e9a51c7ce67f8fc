"""Our network beside the same one in plain torch: target tokens a second, sentences a second.

Both have the same weights and the same batches, must give the same losses, gradients and greedy
translations before anything is timed, and then run in turns. A training step is the loss, its
gradient, the clipping and the update; a translation begins and ends with text.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from harness import Disagreement, Effort, Timing, agree, race
from run_folder import Recipe, tell
from run_parts import Request
from text_tasks.runs import NETWORK, Goal
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

import unrolled
from translation_tasks.parallel import Parallel, multi30k
from translation_tasks.plain import Plain
from translation_tasks.plain_search import PlainTranslator
from translation_tasks.plain_weights import gradients, plain_of
from translation_tasks.quality import BLEU
from translation_tasks.runs import AT_ONCE, BEAM, learn
from unrolled.data.batch import Batch
from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.decoding.beam_options import BeamOptions
from unrolled.tasks.translating.batches import PairBatches
from unrolled.tasks.translating.network import TranslationNetwork
from unrolled.training.average import WeightAverage
from unrolled.training.optimizer import Recipe as Optimization
from unrolled.training.optimizer import make_optimizer
from unrolled.training.translation_scores import translation_scores

PLAIN = "torch.nn cells in a loop"
RECIPE = Recipe({}, "5m")
# Batches that are trained on, and sentences that are translated, in each round.
BATCHES, SENTENCES, ROUNDS = 16, 512, 5
# Of the rates that a training would have; the weights hardly move while they are timed.
SLOW, CLIP = 0.1, 1.0
GOALS = (Goal("training, times plain", 1.4), Goal("decoding, times plain", 5.0))
# Of the sentences' greedy translations, the share that may differ: two numbers that are nearly the
# same may be the other way round in the last digit.
APART = 0.01
Translate = Callable[[list[str]], list[str]]


def run(request: Request) -> list[dict[str, Any]]:
    """The parts of the result."""
    data = multi30k("de", "en")
    if request.model is not None:
        return [part(unrolled.load(request.model), {}, data, request)]
    recipe = request.recipe(RECIPE)
    translator = unrolled.Translator(**{"seed": request.seed, **recipe.options})
    translator, took = learn(
        NETWORK, translator, data.train, data.validation, request, budget=recipe.budget
    )
    return [part(translator, {NETWORK: took}, data, request)]


def part(translator: Any, took: dict[str, Any], data: Parallel, request: Request) -> dict[str, Any]:
    """Check that both do the same, then time them."""
    network, settings = translator.model.eval(), translator.settings
    plain = plain_of(network, settings.dropout, settings.input_dropout).eval()
    batches = batches_of(translator, data)
    for batch in batches[:2]:
        check(network, plain, batch)
    sentences = list(data.validation.sources[:SENTENCES])
    references = data.validation.targets[: len(sentences)]
    search = plain_translator(translator, plain)
    # That both mean the same is checked where nothing is rounded; timed is what a user has.
    exact = {"beam": 1, "precision": "fp32"}
    greedy = by_batches(lambda some: translator.predict(some, **exact), sentences)
    alike = {"greedy": check_greedy(greedy, by_batches(search.greedy, sentences))}

    tokens = sum(int((one.targets[1:] != IGNORED_TARGET).sum()) for one in batches)
    training = race(training_runs(translator, plain, batches), Effort(ROUNDS))
    # Both rank by the penalty that the plain search has.
    asked = {"beam": BEAM, "length_penalty": 1.0}
    ways = {PLAIN: search.beam, NETWORK: lambda some: translator.predict(some, **asked)}
    answers = {name: by_batches(way, sentences) for name, way in ways.items()}
    alike["beam"] = share_alike(answers[NETWORK], answers[PLAIN])
    told = " and ".join(f"{value:.1%} of {kind}" for kind, value in alike.items())
    tell(f"losses and gradients agree, and {told} translations")
    decoding = race(
        {name: lambda way=way: by_batches(way, sentences) for name, way in ways.items()},
        Effort(ROUNDS),
    )
    scores = {
        name: {
            **speeds("training, target tokens a second", training[name], tokens),
            **speeds("decoding, sentences a second", decoding[name], len(sentences)),
            BLEU: translation_scores(answers[name], references).bleu,
        }
        for name in (NETWORK, PLAIN)
    }
    for what, times in (("training", training), ("decoding", decoding)):
        ratio = times[PLAIN].minimum / times[NETWORK].minimum
        scores[NETWORK][f"{what}, times plain"] = ratio
        ratio = times[PLAIN].median / times[NETWORK].median
        scores[NETWORK][f"{what}, times plain, medians"] = ratio
    threads = torch.get_num_threads()
    return {
        "part": f"{data.name}, {threads} thread{'s' if threads > 1 else ''}",
        "held out": f"{len(batches)} batches of {tokens:,} target tokens; {len(sentences)}"
        f" sentences of validation, {AT_ONCE} at once, beam {BEAM}; {ROUNDS} rounds;"
        f" alike are {told} translations",
        "scores": scores,
        "goals": [goal.judged(scores, [PLAIN], 0.0) for goal in GOALS],
        "alike": alike,
        "times": {
            what: {name: one.to_json() for name, one in times.items()}
            for what, times in (("training", training), ("decoding", decoding))
        },
        "took": took,
    }


def batches_of(translator: Any, data: Parallel) -> list[Batch]:
    """The first batches of a training."""
    made = PairBatches(
        translator.tokens.sources(data.train.sources),
        translator.tokens.targets(data.train.targets),
        tokens=translator.settings.batch_tokens,
        seed=translator.seed,
    )
    return [made[step] for step in range(min(BATCHES, len(made)))]


def plain_translator(translator: Any, plain: Plain) -> PlainTranslator:
    """The plain network between the same tokens, with the same limits."""
    slope, offset = BeamOptions().max_length
    return PlainTranslator(
        plain, translator.tokens, lambda length: max(1, math.floor(slope * length + offset))
    )


def speeds(what: str, timing: Timing, count: int) -> dict[str, float]:
    """How many a second: at best, and in the median round."""
    return {what: count / timing.minimum, f"{what}, median": count / timing.median}


def check(network: TranslationNetwork, plain: Plain, batch: Batch) -> None:
    """The same loss and the same gradients; Disagreement where they are not."""
    for one in (network, plain):
        one.zero_grad()
    ours, theirs = our_loss(network, batch), plain.loss(*plain_batch(batch), smoothing=0.0)
    agree("translation", [ours], [theirs], ["the loss"])
    ours.backward()
    theirs.backward()
    for name, (one, other) in gradients(plain, network).items():
        agree("translation", [one], [other], [f"the gradient of {name}"], 2e-3)


def check_greedy(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """The share of greedy translations that are alike; Disagreement unless nearly all are."""
    alike = share_alike(ours, theirs)
    if not alike >= 1 - APART:
        raise Disagreement(f"only {alike:.1%} of the greedy translations are alike")
    return alike


def share_alike(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """Of the translations, those that are the same to the letter."""
    return sum(one == other for one, other in zip(ours, theirs, strict=True)) / len(ours)


def training_runs(
    translator: Any, plain: Plain, batches: Sequence[Batch]
) -> dict[str, Callable[[], object]]:
    """Once over the batches, each by a copy of its own: ours as `fit` updates it, with the moving
    average; the plain one by Adam."""
    network, plain = copy.deepcopy(translator.model).train(), copy.deepcopy(plain).train()
    given, settings = [plain_batch(one) for one in batches], translator.settings
    rates = {name: SLOW * getattr(settings, name) for name in ("learning_rate", "muon_rate")}
    ours = make_optimizer(network, Optimization(**rates, weight_decay=settings.weight_decay))
    average = WeightAverage(network, settings.average)
    theirs = torch.optim.Adam(plain.parameters(), lr=rates["learning_rate"])

    def train_ours() -> None:
        for step, one in enumerate(batches, 1):
            update(network, ours, our_loss(network, one))
            average.update(step)

    def train_plain() -> None:
        for one in given:
            update(plain, theirs, plain.loss(*one))

    return {PLAIN: train_plain, NETWORK: train_ours}


def update(module: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """The rest of a step."""
    optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(module.parameters(), CLIP)
    optimizer.step()


def our_loss(network: TranslationNetwork, batch: Batch) -> Tensor:
    memory, _ = network(batch.inputs, lengths=batch.lengths, starts=batch.starts)
    return network.loss(memory, batch.targets)


def plain_batch(batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Sources, lengths, what the decoder reads and what it is to answer, a row a sentence."""
    assert batch.lengths is not None
    assert batch.targets is not None
    read, asked = batch.targets[:-1].clamp(min=0), batch.targets[1:]
    return batch.inputs.T.contiguous(), batch.lengths, read.T.contiguous(), asked.T.contiguous()


def by_batches(translate: Translate, sentences: list[str]) -> list[str]:
    """So many at once, in the order in which they are."""
    found: list[str] = []
    for begin in range(0, len(sentences), AT_ONCE):
        found += translate(sentences[begin : begin + AT_ONCE])
    return found
