"""Metrics of the mesh, from Prometheus.

Every metric that an operation shows or judges is read here. A metric that cannot be read is an error, never
a zero.
"""
