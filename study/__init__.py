"""The study: a grid file becomes runs, runs become trained models, models become
rows of one results table. Owns the run store, the scheduler and the command line.
Imports data/ and models/; nothing here draws a figure.
"""

import models  # noqa: F401  selects Keras' backend before any module here imports Keras
