"""Pulumi projects and stacks: preview, update, refresh, state, locks, and the objects of the program."""
