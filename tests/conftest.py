"""What many tests share. Importing ``models`` first selects Keras' JAX backend."""

import models  # noqa: F401
