"""Decodes a stack file into dataclasses and reports every error with its path, value and fix. Pure."""
