"""The traffic policy as objects of the Kubernetes Gateway API. Pure: no Pulumi, no cluster.

A stack file has the same meaning with both APIs: keys that this one cannot express are refused, with the
reason.
"""
