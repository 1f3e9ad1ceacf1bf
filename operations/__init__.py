"""Commands for stacks: `python -m operations`.

Operations use Pulumi through its Automation API and the cluster through its API. To find out what a stack
declares, they run the program; only files that write a stack file, or read a key that is for operations
alone, use the keys of its model. They import the parts of `components` that need no Pulumi resources;
`components` imports nothing from here.
"""
