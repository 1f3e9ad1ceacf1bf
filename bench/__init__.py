"""Measurements beside other tools, as ratios of one run on one machine.

Everything is done through public commands: pulumi, kubectl, `python -m operations`, `python -m lab`. The load
generator and the catalogue of changes are here for the end-to-end tests too.
"""
