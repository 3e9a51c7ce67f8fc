"""Greedy search: the best token at each step."""

from __future__ import annotations

import math

import numpy as np

from unrolled.decoding.answers import Answers, Question
from unrolled.decoding.rows import Rows


def search_greedily(rows: Rows, question: Question, answers: Answers) -> None:
    """One hypothesis a sentence, which is what `beam.search_widely` finds with a beam of 1."""
    totals = np.zeros(len(rows.owners))
    nodes = np.full(len(rows.owners), -1)
    while len(rows.owners):
        values, tokens = rows.best(1)
        here = np.arange(len(rows.owners))
        place = values.argmax(axis=1)
        value, token = values[here, place], tokens[here, place]
        stuck = value == -math.inf
        if stuck.any():
            scores = rows.scores(totals[stuck], here[stuck], stepped=False)
            answers.cut(rows.owners[stuck], nodes[stuck], totals[stuck], scores)
        totals = totals + value
        nodes = rows.trail.add(nodes, token, value, here)
        done = ~stuck & (token == question.end)
        over = ~stuck & ~done & (rows.step + 1 >= question.limits[rows.owners])
        for ended, take in ((done, answers.finish), (over, answers.cut)):
            if ended.any():
                scores = rows.scores(totals[ended], here[ended])
                take(rows.owners[ended], nodes[ended], totals[ended], scores)
        on = ~(stuck | done | over)
        totals, nodes = totals[on], nodes[on]
        if not len(nodes):
            break
        rows.select(here[on], token[on])
