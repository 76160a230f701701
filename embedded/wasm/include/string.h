/* What compilers may ask of a C library; instructions of WebAssembly do it. */
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
