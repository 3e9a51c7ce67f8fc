"""Translation: what `Translator` reaches beside which figures, how fast it is beside plain torch.

`runs` is what tasks share: the training of one network in its folder; `parallel` has the data,
`published` what others measured, `quality` a training from data to verdict. `plain` is our network
as one writes it with `torch.nn` (with its search and its weights), `reference` the rival that the
goals were set by. Each other module is a task; `table` the results as Markdown.
"""
