/* What the generated C may ask of a C library's math.h; it calls none of it for WebAssembly. */
float fmaf(float a, float b, float c);
float tanhf(float x);
