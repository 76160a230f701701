"""From stored results to figures, players and HTML pages: one for the study, one a run.
Reads the results table and the audio in a run folder; never imports Keras,
so a report can be rebuilt in seconds on any machine.
"""
