"""What is not as the stack declares it: found, and put back.

Law: a check only reads. It gives a report when everything could be read, and an error otherwise: that
nothing was found never means that nothing was looked at.

For other operations: `check(project, stack)` gives a `Report`; `report.of("VirtualService")` picks from it.
"""

from operations.drift.check import check
from operations.drift.findings import Finding, Problem, Report

__all__ = ["Finding", "Problem", "Report", "check"]
