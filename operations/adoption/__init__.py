"""Takes existing objects over into a stack: reads them, writes the stack file, reports what is lost.

`apps`, `probes`, `routes`, `route_match`, `gateways` and `traffic_policy` write the keys of the stack file.
A field that they do not translate is found by comparing the objects with those that the program renders.
"""
