"""Text tasks: what `Generator`, `Classifier` and `Tagger` reach, beside which rivals.

`runs` is what tasks share: what is asked, goals, the training of one network in its folder;
`turns` trains a rival in turns with it, `streams` has the last tenth of a text; each other module
is a task with its data, recipe, rivals and goals; `table` the results as Markdown.
"""
