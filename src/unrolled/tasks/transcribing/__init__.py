"""The parts of a `Transcriber`."""
