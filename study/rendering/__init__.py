"""Trained models as they play: framed, streaming, oversampled, to files and to a sound card.
Knows weights, not how they were found.
"""
