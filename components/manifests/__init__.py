"""Builds the specs of Kubernetes and Istio objects from settings; one file for each kind. Pure: no Pulumi."""
