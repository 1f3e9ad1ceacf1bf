"""The embedded default: a real one-node Kubernetes with the parts that Istio needs.

Law: the lab looks like any other cluster. It hands out a kubeconfig context and
a Pulumi on PATH; the program never asks whether it is on the lab. One machine
has one lab, whichever checkout started it.
"""
