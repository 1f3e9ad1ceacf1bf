"""Moves traffic to a new version step by step, and rolls back when the metrics are bad.

The stack owns all objects: every step is written into the stack file and deployed with `pulumi up`. Nothing
here changes an object of the cluster in any other way.
"""
