"""The documents' generated parts."""
