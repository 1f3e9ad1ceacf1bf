"""The same canary by Argo Rollouts, by Flagger and by this program, on the same lab, under the same requests.

Law: what happened is told by the answers that callers got, not by what a controller reports of itself.
"""
