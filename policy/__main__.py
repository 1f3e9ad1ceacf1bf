"""The policy pack: the laws of a mesh, for the stacks of any program."""

from pulumi_policy import PolicyPack

from mesh_rules.catalogue import LAWS
from mesh_rules.pack import policy

PolicyPack(name="mesh-laws", policies=[policy(rule) for rule in LAWS])
