"""The benchmarks' official rules, one file each, written from the rules and pure."""
