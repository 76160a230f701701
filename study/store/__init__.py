"""The ``runs/`` folder and its tables: where results lie, what their columns mean, and on what
machine they were made. Needs no Keras.
"""
