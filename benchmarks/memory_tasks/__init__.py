"""Memory tasks: what a recurrent network must keep over hundreds of steps.

`drawn` and `images` are the tasks, `networks` what learns them, `recipes` with which numbers,
`runs` the loop, `published` and `table` what the results stand beside.
"""
