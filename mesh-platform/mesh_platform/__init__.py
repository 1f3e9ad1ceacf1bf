"""The parts of a mesh's platform, each in a file of its own.

Law: a part is installed where the stack file names it, and left alone where it does not. None knows whether
the cluster is the lab.
"""
