"""Deploys the stacks of the lab with Pulumi."""
