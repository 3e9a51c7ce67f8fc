"""The parts of a `Tagger`."""
