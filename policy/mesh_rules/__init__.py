"""What must be true of any stack in a mesh. Pure but for `pack.py`, the only file that knows Pulumi."""
