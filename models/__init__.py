"""Families of models: descriptors, Keras layers on frames and on sequences, losses.
Importing this room selects Keras' JAX backend unless KERAS_BACKEND is set.
Knows nothing of data/ or of where samples come from.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
