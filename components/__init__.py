"""The stages of HARMO Pipelines, one folder each, and the two libraries they share (core, rewards)."""

__version__ = "0.1.0"
