"""A trained network as plain numbers: its weights and its answer in numpy, the reference of
every other form.
"""
