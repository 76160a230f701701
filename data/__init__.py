"""Signals: the built-in dry signal, the devices that make wet ones, recordings,
splits in time and frames. Everything is mono float32 in [-1, 1], shape (samples,).
Imports nothing of the other rooms.
"""
