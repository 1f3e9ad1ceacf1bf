"""Manual edits: which are found and repaired, beside Pulumi's and kubectl's own commands."""
