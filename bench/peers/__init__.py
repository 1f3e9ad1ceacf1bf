"""The same canary by this program, Argo Rollouts and Flagger, under the same requests."""
