"""The numbers by which wet signals are judged: errors, aliasing, transients, and the best linear
filter as the line that every model must pass. Signals in, numbers out. A new figure of a
prediction is a line in ``metrics.METRICS``: its column and all that is told of it follow.
"""
