"""Speech: what `Transcriber` reaches beside which figures, and what listening live costs.

`runs` is the training of one network in its folder; `digits` has the spoken digits, `quality` a
training from data to verdict, `speakers` a training for each speaker who is held out, `published`
what others measured, `plain` the rival that the goals were set by. `delays` and `streams` are what
`live` measures. Each other module is a task; `table` the results as Markdown.
"""
