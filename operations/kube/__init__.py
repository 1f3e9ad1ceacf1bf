"""Access to the cluster, and facts about Kubernetes objects."""
