"""From a dataset to weights: compiled steps, input pipeline, truncated back-propagation,
fine-tuning against aliases, models with controls.
"""
