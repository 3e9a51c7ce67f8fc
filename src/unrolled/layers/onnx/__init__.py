"""Layers and the exchange format ONNX: read, written, and judged by ONNX Runtime."""
