"""`Generator`: learns a text character by character, then writes, suggests and scores."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor

from unrolled.baselines import NGram
from unrolled.data.batching import ContiguousBatches
from unrolled.data.text import Vocabulary, read_text
from unrolled.decoding import sample, suggest
from unrolled.errors import ConfigError, DataError
from unrolled.layers.states import State
from unrolled.tasks.arrays import Arrays, like, to_arrays, to_state
from unrolled.tasks.base import Task, check_share, whole_number
from unrolled.tasks.evaluation import Comparison, Evaluation
from unrolled.tasks.initial import initialise
from unrolled.tasks.language_model import LanguageModel
from unrolled.tasks.text_training import choose_baseline, fitting_rows, stream_bits, validator
from unrolled.training.budget import Budget
from unrolled.training.loop import Trainer
from unrolled.training.losses import token_loss
from unrolled.training.optimizer import Recipe
from unrolled.training.run import Run

# Less than this can't be split into parts that mean anything.
SHORTEST_TEXT = 500
SHORTEST_PART = 20
# Share of the text that is left after the test part, on which the best weights are chosen.
VALIDATION_SHARE = 0.05
_UNKNOWN = 0
_SUFFIXES = (".txt", ".txt.gz", ".md")


class Generator(Task):
    """A character model: what comes next, and next, and next.

        p(x_{t+1} | x_1 .. x_t) = softmax(W y_t + b),   y_t, s_t = layers(embedding[x_t], s_{t-1})

    Args:
        cell: "lstm", "gru" or "rnn".
        hidden_size: units of each layer.
        layers: recurrent layers, one on the other.
        directions: 1; a generator reads forward.
        embedding_size: size of the vector that stands for a character.
        dropout: share of the activations between layers that is dropped in training.
        learning_rate: the peak of the schedule.
        rows: streams of text that are read side by side.
        steps: characters between two updates; the state is carried on, the gradient is cut.
        seed: of the weights, the dropout and nothing else (text is read in order).
        device: "auto", "cpu" or "cuda".
        precision: "fp32" or "bf16".
        warm_start: let `fit` go on from the weights and the vocabulary that are there.

    After `fit`: `model` (the network), `vocabulary`, `baseline` (an `NGram`), `evaluation`
    (held-out bits per character, the network's beside the baseline's) and `outcome`.

    Example:
        >>> writer = Generator().fit("book.txt", budget="5m")   # doctest: +SKIP
        >>> writer.generate("It was a", length=100, seed=1)     # doctest: +SKIP
    """

    vocabulary: Vocabulary
    baseline: NGram
    model: LanguageModel

    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: int = 256,
        layers: int = 2,
        directions: int = 1,
        *,
        embedding_size: int = 64,
        dropout: float = 0.2,
        learning_rate: float = 3e-3,
        rows: int = 16,
        steps: int = 128,
        seed: int = 0,
        device: str = "auto",
        precision: str = "fp32",
        warm_start: bool = False,
    ) -> None:
        self.cell = cell
        self.hidden_size = hidden_size
        self.layers = layers
        self.directions = directions
        self.embedding_size = embedding_size
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.rows = rows
        self.steps = steps
        self.seed = seed
        self.device = device
        self.precision = precision
        self.warm_start = warm_start

    def fit(
        self,
        data: str | os.PathLike[str],
        *,
        budget: str | int | Budget = "2m",
        holdout: float = 0.1,
        run_dir: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: bool = True,
        diagnose: bool = True,
    ) -> Self:
        """Learn a text.

        Args:
            data: the text itself, or the path of a text file or a folder of them.
            budget: time or steps of training, such as "10m" or "500 steps".
            holdout: share at the end of the text that is kept for the evaluation.
            run_dir: folder for the log and the checkpoint.
            resume: go on from the checkpoint in `run_dir`.
            progress: show a bar, where standard error is a terminal.
            diagnose: look through the network at intervals, and warn where it can't learn, with
                the remedy; what is learnt does not depend on it.

        Raises:
            DataError: the text can't be read or is too short.
            ConfigError: an argument or option that can't work.
            TrainingDiverged: the loss stopped being a number.
        """
        self._check_sizes("hidden_size", "embedding_size", "rows", "steps")
        check_share("holdout", holdout)
        text, name = _text_of(data)
        budget = Budget.parse(budget)
        test_from = round(len(text) * (1 - holdout))
        learn_to = round(test_from * (1 - VALIDATION_SHARE))
        parts = (learn_to, test_from - learn_to, len(text) - test_from)
        if len(text) < SHORTEST_TEXT or min(parts) < SHORTEST_PART:
            raise DataError(
                f"got {len(text)} characters, which makes parts of {', '.join(map(str, parts))} to"
                f" learn from, to choose by and to test on; expected at least {SHORTEST_TEXT}, and"
                f" {SHORTEST_PART} in each part: give more text or another holdout"
                + (f" (there is no file {text!r})" if name is None and len(text) < 80 else ""),
                file=name,
            )
        run = Run(run_dir, resume=resume)
        ids = np.empty(0, dtype=np.int64)

        def prepare() -> Trainer:
            nonlocal ids
            if not self._goes_on():
                self.vocabulary = Vocabulary.from_text(text[:learn_to])
            self.model = cast(LanguageModel, self._first_network())
            ids = self.vocabulary.encode_array(text)
            self._describe_origin(name or "text", text.encode(), holdout)
            self.baseline = choose_baseline(
                ids[:learn_to], ids[learn_to:test_from], len(self.vocabulary)
            )
            return self._trainer(
                ids[:learn_to], ids[learn_to:test_from], budget, run, progress, diagnose
            )

        size = f"{len(text) - test_from:,} characters"
        held_out = f"the last {holdout:.0%} of {_short_name(name)}, {size}"
        self._learn(prepare, lambda: self._evaluate(ids[test_from:], held_out))
        return self

    def predict(self, prompts: str | Iterable[str], **options: Any) -> str | list[str]:
        """The continuation of a prompt, or of each; options as in `generate`."""
        if isinstance(prompts, str):
            return self.generate(prompts, **options)
        return [self.generate(prompt, **options) for prompt in prompts]

    def generate(
        self,
        prompt: str = "",
        *,
        length: int = 200,
        temperature: float = 0.8,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
    ) -> str:
        """Write on from a prompt.

        Args:
            prompt: what to read first; may be empty.
            length: characters to write.
            temperature: below 1 the likely becomes likelier; 0 always takes the likeliest.
            top_k: draw from the `k` likeliest only.
            top_p: draw from the fewest that together have probability `p`.
            seed: the same seed gives the same text.

        Returns:
            The text after the prompt.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: an option out of its range.
        """
        self._check_fitted()
        length = whole_number("length", length, least=0)
        draws = torch.Generator()
        if seed is None:
            draws.seed()
        else:
            draws.manual_seed(whole_number("seed", seed, least=0) % 2**63)
        written: list[int] = []
        with torch.no_grad():
            logits, state = self._read(prompt)
            for _ in range(length):
                # Nothing can be written for a character that the model does not know.
                scores = logits[0].float().cpu()
                scores[_UNKNOWN] = -math.inf
                written.append(
                    int(
                        sample(
                            scores,
                            generator=draws,
                            temperature=temperature,
                            top_k=top_k,
                            top_p=top_p,
                        )
                    )
                )
                logits, state = self.model.step(self._tensor(written[-1:]), state)
        return self.vocabulary.decode(written)

    def suggest(self, prompt: str = "", k: int = 5) -> list[tuple[str, float]]:
        """The `k` likeliest next characters after a prompt, with their probabilities."""
        self._check_fitted()
        with torch.no_grad():
            logits, _ = self._read(prompt)
        # One more than asked for: the unknown symbol, which is never written, may be among them.
        ids, probabilities = suggest(logits[0].float().cpu(), k + 1 if k > 0 else k)
        known = [
            (self.vocabulary.symbols[int(i)], float(p))
            for i, p in zip(ids, probabilities, strict=True)
            if int(i) != _UNKNOWN
        ]
        return known[:k]

    def evaluate(self, data: str | os.PathLike[str] | None = None) -> Evaluation:
        """Bits per character beside the baseline's, of a new text or (without) as `fit` measured.

        Raises:
            NotFittedError: `fit` comes first.
            DataError: the text can't be read or holds fewer than two characters.
        """
        if data is None:
            return self._own_evaluation()
        self._check_fitted()
        text, name = _text_of(data)
        if len(text) < 2:
            raise DataError(f"got {len(text)} characters, expected at least 2", file=name)
        return self._evaluate(
            self.vocabulary.encode_array(text), f"{len(text):,} characters of {_short_name(name)}"
        )

    def start(self, prompt: str = "") -> Arrays:
        """The state after reading a prompt: plain arrays, to be handed to `step`."""
        self._check_fitted()
        with torch.no_grad():
            _, state = self._read(prompt)
        return to_arrays(state)

    def step(self, character: str, state: Arrays | None = None) -> tuple[np.ndarray, Arrays]:
        """Read one character.

        Args:
            character: the character.
            state: what `start` or an earlier `step` gave; stays as it is. None: the beginning.

        Returns:
            The probability of each symbol of the vocabulary to come next, float32 `(V,)`, and the
            new state.
        """
        self._check_fitted()
        if len(character) != 1:
            raise ConfigError(f"step: got {character!r}, expected one character")
        with torch.no_grad():
            carried = None if state is None else to_state(state, self.model)
            logits, after = self.model.step(
                self._tensor(self.vocabulary.encode(character)), carried
            )
        return logits[0].softmax(-1).cpu().numpy(), to_arrays(after)

    def _trainer(
        self,
        learnt: np.ndarray,
        chosen_by: np.ndarray,
        budget: Budget,
        run: Run,
        progress: bool,
        diagnose: bool,
    ) -> Trainer:
        rows, steps = fitting_rows(len(learnt), self.rows, self.steps)
        return Trainer(
            self.model,
            ContiguousBatches(learnt, rows=rows, steps=steps),
            token_loss,
            validator(self.model, chosen_by),
            budget,
            self._card(),
            self._baseline_tensors(),
            Recipe(learning_rate=self.learning_rate, average=0.99),
            run,
            title="generator",
            unit="characters",
            device=self.device,
            precision=self.precision,
            progress=progress,
            diagnose=diagnose,
        )

    def _read(self, prompt: str) -> tuple[Tensor, State]:
        """Logits `(1, V)` and state after a prompt; an empty one counts as the start of a line."""
        ids = self.vocabulary.encode(prompt or "\n")
        logits, state = self.model(self._tensor(ids).unsqueeze(1))
        return logits[-1], state

    def _tensor(self, ids: list[int]) -> Tensor:
        return torch.tensor(ids, device=like(self.model).device)

    def _evaluate(self, ids: np.ndarray, held_out: str) -> Evaluation:
        network = stream_bits(self.model, ids)
        # Neither is scored on the first character, which nothing precedes.
        rival = -float(self.baseline.log2_probabilities(ids)[1:].mean())
        name = f"Kneser-Ney of order {self.baseline.order}"
        comparison = Comparison("bits per character", network, rival, name)
        return Evaluation((comparison,), held_out=held_out)

    def _build(self) -> LanguageModel:
        recurrent = self._recurrent(self.embedding_size, self.hidden_size, self.dropout)
        initialise(recurrent)
        return LanguageModel(recurrent, len(self.vocabulary), dropout=self.dropout)

    def _assets(self) -> dict[str, Any]:
        return {"vocabulary": self.vocabulary.to_list()}

    def _restore_assets(self, assets: dict[str, Any]) -> None:
        self.vocabulary = Vocabulary.from_list(assets["vocabulary"])

    def _baseline_arrays(self) -> dict[str, np.ndarray]:
        return self.baseline.to_arrays()

    def _restore_baseline(self, arrays: dict[str, np.ndarray]) -> None:
        self.baseline = NGram.from_arrays(arrays)


def _text_of(data: str | os.PathLike[str]) -> tuple[str, str | None]:
    """The text and the name of its file; a one-line string may name a file."""
    if not isinstance(data, str | os.PathLike):
        raise ConfigError(
            f"data: got {type(data).__name__}, expected a text or the path of a file or folder;"
            " join several with read_text([...])"
        )
    if isinstance(data, os.PathLike) or _names_a_file(data):
        return read_text(data), os.fspath(data)
    try:
        data.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"the text holds half a surrogate pair at character {error.start}, which is no"
            " character; decode its source with errors='replace'"
        ) from error
    return data, None


def _short_name(file: str | None) -> str:
    return "the text" if file is None else os.path.basename(file)


def _names_a_file(text: str) -> bool:
    one_line = 0 < len(text) < 4096 and "\n" not in text
    return one_line and (os.path.exists(text) or (" " not in text and text.endswith(_SUFFIXES)))
