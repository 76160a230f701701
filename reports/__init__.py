"""From stored results to figures, HTML pages and players.
Reads the results table and the audio in a run folder; never imports Keras,
so a report can be rebuilt in seconds on any machine.
"""
