"""Runs a one-node Kubernetes cluster: processes, network, certificates, control plane, kubelet."""
