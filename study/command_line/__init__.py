"""How every command of the project speaks and ends: its messages, its exit codes, what it does
when it is interrupted. Knows nothing of what the commands do.
"""
