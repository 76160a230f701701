/* {{ title }}
 *
{{ comment }}
 *
 *     {{ id }}_state state;
 *     {{ id }}_reset(&state);
 *     {{ id }}_process(&state, in, out, samples);   again and again
 *
 * Blocks may have any length, down to one sample; the output does not depend on it.
 * in and out may be the same array. Nothing is allocated.
 */
#ifndef {{ ID }}_H
#define {{ ID }}_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The rate in Hz that the model was trained at and that in and out must have. */
#define {{ ID }}_SAMPLE_RATE_HZ {{ sample_rate_hz }}

/* What the model remembers between samples. */
typedef struct {
{% for line in state %}
    {{ line }}
{% endfor %}
} {{ id }}_state;

/* Silence before the first sample. */
void {{ id }}_reset({{ id }}_state *state);

/* in: dry samples, out: wet samples, both mono, full scale is -1 to 1. */
void {{ id }}_process({{ id }}_state *state, const float *in, float *out, size_t samples);

#ifdef __cplusplus
}
#endif

#endif
