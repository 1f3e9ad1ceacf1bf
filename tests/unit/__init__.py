"""The parts by themselves: no Pulumi engine, no cluster."""
