"""The parts of a mesh's platform, each in a file of its own.

Rule: a part is installed only if the stack file names it. No part depends on whether the cluster is the lab.
"""
