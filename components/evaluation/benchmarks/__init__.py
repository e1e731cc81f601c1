"""Benchmarks: the public sets, one file each: where the data is, how it is asked, how an answer is marked."""
