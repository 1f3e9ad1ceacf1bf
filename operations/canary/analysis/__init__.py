"""Decides from metrics whether a step of the canary passes."""
