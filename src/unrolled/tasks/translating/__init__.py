"""The parts of a `Translator`."""
