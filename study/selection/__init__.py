"""Which model of a grid to build: chosen on validation, within what a board can pay.

``candidates`` lists what there is to choose from, ``limits`` what it must meet, ``choose`` chooses
for every effect. ``boards`` lists the boards.
"""
