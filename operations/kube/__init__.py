"""Access to the cluster, and properties of Kubernetes objects."""
