"""What the mesh measures of itself: one figure, one source.

Law: every figure that an operation shows or judges comes from here, and from Prometheus. What cannot be
told is an error of its own kind, never a zero.
"""
