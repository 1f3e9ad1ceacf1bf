"""The Pulumi ComponentResources of the program."""
