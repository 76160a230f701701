"""TFLite flatbuffers without TensorFlow: graphs, scales, bytes, and the runtimes that run them."""
