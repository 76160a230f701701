"""A trained model as portable C99: packed weights, the generated source and its self-test."""
