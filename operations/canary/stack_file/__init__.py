"""Edits the weights in a stack file and leaves the rest of its text unchanged."""
