"""What acts on a stack from outside: `python -m operations`.

Law: operations talk to Pulumi through its Automation API and to the cluster through its API. What a stack
declares they learn from the program itself, never from its parts: no file here knows a key of the program's
model, except where stack files are written, and for keys that are meant for operations alone. Nothing in
components imports anything of this.
"""
