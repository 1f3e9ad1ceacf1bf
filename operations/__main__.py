"""`python -m operations`.

Nothing more is imported here: every process that learns what a program declares imports this file again.
"""

if __name__ == "__main__":
    from operations.command_line import commands

    commands()
