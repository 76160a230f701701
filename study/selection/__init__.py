"""Which model of a grid to build: chosen on validation, within what a board can pay.

``boards`` lists the boards.
"""
