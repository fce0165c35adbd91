"""The benchmark: this suite beside what users would pick instead. Run `python -m benchmarks`."""
