"""Memory tasks: what a recurrent network must keep over hundreds of steps.

`images` and `unrolled.data.memory` are the tasks, `networks` what learns them, `recipes` with which
numbers, `runs` the loop, `published` and `table` what the results stand beside.
"""
