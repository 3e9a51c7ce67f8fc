"""The parts of a `Generator`: settings, training data, writing, suggesting, scoring, the gate."""
