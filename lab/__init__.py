"""Runs a real one-node Kubernetes with the parts that Istio needs.

Rule: for the program the lab is a cluster like any other: a kubeconfig context and a Pulumi on PATH. One
machine has one lab, whichever checkout started it.
"""
