"""The policy pack: the laws of a mesh, for the stacks of any program."""

from pulumi_policy import PolicyPack

from mesh_laws.catalogue import LAWS
from mesh_laws.pack import policy

PolicyPack(name="mesh-laws", policies=[policy(law) for law in LAWS])
