"""Deploys the traffic of a step with `pulumi up`, and retries while the cluster is unreachable."""
