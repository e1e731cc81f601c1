"""Graders: the official rules of the benchmarks, one pure file each."""
