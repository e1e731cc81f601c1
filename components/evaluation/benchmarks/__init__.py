"""The public benchmarks: one module each, with its prompt as the official one and its marking."""
