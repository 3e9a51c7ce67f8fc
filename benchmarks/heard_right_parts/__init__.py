"""Words that sound alike, heard right by context: what `heard_right.py` is made of."""
