"""From hand-kept objects to a stack: read them, write the stack file, say what is lost, take them over.

Only `apps.py`, `routes.py` and `policies.py` know keys of the stack file. They translate what they know; what
they leave out is found by holding the hand-kept objects against the manifests that the program then renders.
"""
