"""The Pulumi program. It imports nothing of the lab, the operations, the policy pack or the benchmarks."""
