"""Builds the programs and images of the lab from pinned sources."""
