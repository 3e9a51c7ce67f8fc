"""What a `Forecaster` is made of: series in, networks, forecasts, their errors and their repair."""
