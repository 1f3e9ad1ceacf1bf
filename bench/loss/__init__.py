"""Requests lost while a team changes its stack, and while a mechanism against losses is taken away."""
