"""Reads and validates the stack configuration: the only package that uses `pulumi.Config`."""
