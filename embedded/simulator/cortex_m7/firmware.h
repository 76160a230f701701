/* The whole firmware core, as the runner calls a model. */
#ifndef CORTEX_M7_FIRMWARE_H
#define CORTEX_M7_FIRMWARE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int is_ready;
} firmware_state;

void firmware_reset(firmware_state *state);
void firmware_process(firmware_state *state, const float *in, float *out, size_t samples);

/* What the bench tells, counted by this clock. */
const char *firmware_bench(uint32_t (*now)(void));

#ifdef __cplusplus
}
#endif

#endif
