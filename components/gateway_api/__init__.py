"""The same policy in the words of the Kubernetes Gateway API. Pure: no Pulumi, no cluster.

Nothing in here changes what a stack file means: what these words cannot say is refused, with the reason.
"""
