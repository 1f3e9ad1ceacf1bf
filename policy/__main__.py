"""The policy pack, with rules for any stack in an Istio mesh."""

from pulumi_policy import PolicyPack

from mesh_rules.catalogue import RULES
from mesh_rules.pack import policy

PolicyPack(name="mesh-rules", policies=[policy(rule) for rule in RULES])
