"""Graders: the official rules of the benchmarks, one file each."""
