"""Finds unmanaged objects that affect the hosts or pods of a stack. Pure."""
