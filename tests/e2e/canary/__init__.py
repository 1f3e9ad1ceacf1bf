"""A canary on the lab under a constant load: nothing fails but what v2 itself answers. Long suites."""
