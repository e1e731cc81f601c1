"""Graders: the benchmarks' official rules, one pure file each."""
