"""`python -m operations`.

The import is in the condition because a process that `learn` starts imports this file again.
"""

if __name__ == "__main__":
    from operations.command_line import commands

    commands()
