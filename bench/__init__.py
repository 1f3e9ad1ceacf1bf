"""Measurements beside other ways to do the same, as ratios of one run on one machine."""
