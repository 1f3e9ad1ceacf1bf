"""Pulumi's language host, ready before an update needs it: half of an update's time is Python that starts.

Law: a host serves one update and ends, so that none finds anything of another; what changed since it began
makes it useless; and without one an update is the same, only slower.
"""
