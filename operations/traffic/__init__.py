"""What the mesh does now with the traffic of a stack: `python -m operations traffic`.

Law: it reads and changes nothing, and every figure comes from `operations.figures`, as the canary's do.
"""
