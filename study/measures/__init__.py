"""The numbers by which wet signals are judged: errors, aliasing, transients, and the best linear
filter as the line that every model must pass. Signals in, numbers out.
"""
