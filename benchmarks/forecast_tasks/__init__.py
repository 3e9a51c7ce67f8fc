"""Forecasting tasks: what a network must forecast, beside which rivals, from which moments.

`contest` is the form that all tasks share, `rivals` and `networks` are who takes part, `runs` the
folder of a run, `m4` to `stocks` the tasks on public data, `scale` and `coverage` the two that are
not about errors, `table` the results as Markdown.
"""
