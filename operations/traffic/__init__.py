"""The current traffic of a stack's services: `python -m operations traffic`.

It changes nothing, and reads the same metrics as the canary, from `operations.metrics`.
"""
