"""Rules for any stack in an Istio mesh. Pure; only `pack.py` imports Pulumi."""
