/* Checks {{ id }}.c against exact arithmetic: prints the largest error, exits with 1 if
 * it exceeds {{ tolerance }}, or if blocks give other bits than single samples.
 *
{{ comment }}
 */
#include "{{ id }}.h"

#include <stdio.h>

#define SAMPLES {{ dry|length }}
#define BLOCK 37

static const float dry[SAMPLES] = {
{{ numbers(dry) }}
};

/* Computed in double precision, with the exact tanh. */
static const float expected[SAMPLES] = {
{{ numbers(expected) }}
};

static float wet[SAMPLES];

int main(void)
{
    {{ id }}_state state;
    float largest = 0.0f, wet_alone;
    int n, same = 1;

    {{ id }}_reset(&state);
    for (n = 0; n < SAMPLES; n += BLOCK) {
        const int left = SAMPLES - n;
        {{ id }}_process(&state, dry + n, wet + n, (size_t)(left < BLOCK ? left : BLOCK));
    }
    {{ id }}_reset(&state);
    for (n = 0; n < SAMPLES; ++n) {
        const float error = wet[n] < expected[n] ? expected[n] - wet[n] : wet[n] - expected[n];
        {{ id }}_process(&state, dry + n, &wet_alone, 1);
        same = same && wet_alone <= wet[n] && wet_alone >= wet[n];
        largest = error <= largest ? largest : error; /* keeps a NaN */
    }
    printf("largest error %.3g, blocks equal samples: %s\n", (double)largest, same ? "yes" : "no");
    return largest <= {{ tolerance }} && same ? 0 : 1;
}
