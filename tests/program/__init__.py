"""The real program, run against mocks of the Pulumi engine."""
