"""Find and repair the differences between a stack's live objects and its stack file.

Rule: a check only reads. It returns a report if everything could be read, and raises an error otherwise: an
empty report always means that everything was checked.

`check(project, stack)` returns a `Report`; `report.of("VirtualService")` selects findings by kind.
"""

from operations.drift.check import check
from operations.drift.findings import Finding, Problem, Report

__all__ = ["Finding", "Problem", "Report", "check"]
