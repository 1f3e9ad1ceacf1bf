"""What requests are lost while a team changes its stack, and what would be without each mechanism against it.

Law: changes and load are those of the end-to-end tests; a mechanism is taken away by an edit of a copy of the
program, which fails where the program no longer has what is to be taken away.
"""
