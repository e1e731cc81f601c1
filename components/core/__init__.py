"""The nouns of the project: examples, reward breakdowns, versioned artifacts, configuration, errors.

Imports nothing else of ours, and none of torch, transformers, kfp or datasets, so that the command
line and the recipes stay quick to import.
"""
