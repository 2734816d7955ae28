"""How fast the pipeline is, each figure from one command: ``python -m benchmarks.NAME``; what they mean is in docs/performance.md."""
