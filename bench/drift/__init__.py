"""What of a catalogue of hand edits is found and put back; beside Pulumi's and kubectl's own ways.

Law: every mutation is made by kubectl, as a person makes it, and looked at through each way's own command or
function; whether it is put back is seen in the objects themselves, not in what a tool says of them.
"""
