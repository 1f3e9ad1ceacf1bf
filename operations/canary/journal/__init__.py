"""The record of a canary: journal, lock, commands from other terminals, status and report."""
