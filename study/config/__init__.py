"""What a run and a grid are: every setting, checked, and the files that state them.
Knows no folder and trains nothing.
"""
