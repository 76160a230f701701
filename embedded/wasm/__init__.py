"""The generated C of candidates as WebAssembly, so that the report plays them in a browser."""
