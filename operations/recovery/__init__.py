"""Repair a stack and its cluster after an interrupted update.

It first reports what it finds, and changes nothing that a running process holds. After a failure in any step,
the same command resumes.
"""
