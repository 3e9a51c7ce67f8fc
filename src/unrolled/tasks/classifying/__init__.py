"""What a `Classifier` is made of."""
