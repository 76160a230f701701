/* A model for a browser: blocks in, blocks out, through two arrays that JavaScript sees. */
#include "pedal_model.h"

#define BLOCK 4096
#define EXPORT(name) __attribute__((export_name(name)))

static pedal_model_state state;
static float samples[BLOCK];

EXPORT("block") int block(void)
{
    return BLOCK;
}

/* Where the samples of a block lie; they are replaced by what the model makes of them. */
EXPORT("samples") float *where(void)
{
    return samples;
}

EXPORT("reset") void reset(void)
{
    pedal_model_reset(&state);
}

EXPORT("process") void process(int count)
{
    pedal_model_process(&state, samples, samples, (size_t)count);
}

#if defined(__wasm_bulk_memory__)
/* Compilers call these by themselves; without the builtins each would call itself. */
__attribute__((no_builtin("memset"))) void *memset(void *to, int value, size_t bytes)
{
    return __builtin_memset(to, value, bytes);
}

__attribute__((no_builtin("memcpy"))) void *memcpy(void *to, const void *from, size_t bytes)
{
    return __builtin_memcpy(to, from, bytes);
}
#endif
