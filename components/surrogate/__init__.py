"""Fitting the surrogate reward model: a cheap stand-in for a learned reward model on open-ended answers."""
