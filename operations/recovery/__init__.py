"""Brings a stack and its cluster to what the stack file says, whatever interrupted the last update.

Law: look first, and change nothing that a living process holds. Each step leaves things so that the same
command goes on from there.
"""
