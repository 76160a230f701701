"""The firmware of a pedal: its C++ sources, what is written for a board, and the proof here
that it answers as the model does.
"""
