{% from "rows.c" import rows %}
/* {{ title }}
 *
{{ comment }}
 * The weights are stored in the order in which they are read. See the header for use.
 */
#include "{{ id }}.h"

/* GCC and clang know these functions without a header, which a bare target may not have. */
#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline, unused))
#define ALIGNED __attribute__((aligned(32))) /* a cache line */
#define FMAF __builtin_fmaf
#define FMINF __builtin_fminf
#define FMAXF __builtin_fmaxf
#define TANHF __builtin_tanhf
#else
#include <math.h>
#define ALWAYS_INLINE static inline
#define ALIGNED
#define FMAF fmaf
#define FMINF fminf
#define FMAXF fmaxf
#define TANHF tanhf
#endif

/* sum + weight * value; rounded once where the processor does that in one instruction.
 * Define {{ ID }}_FUSED to round once everywhere, at any cost, for equal bits. */
#if defined(__FP_FAST_FMAF) || defined(__aarch64__) || defined({{ ID }}_FUSED)
ALWAYS_INLINE float multiply_add(float sum, float weight, float value)
{
    return FMAF(weight, value, sum);
}
#else
ALWAYS_INLINE float multiply_add(float sum, float weight, float value)
{
    return sum + weight * value;
}
#endif

/* Two weights that lie side by side. A Cortex-M FPU loads both by one instruction into a
 * double-precision register, whose halves are ordinary single-precision registers. GCC
 * does not do so by itself; the two lines of assembler tell it which half to multiply by. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__) && defined(__ARM_FEATURE_FMA) \
    && defined(__ARM_PCS_VFP) && !defined(__ARM_NEON) && !defined({{ ID }}_NO_ASSEMBLER)
typedef double weight_pair __attribute__((may_alias));

ALWAYS_INLINE weight_pair load_pair(const float *weights)
{
    return *(const weight_pair *)(const void *)weights;
}

ALWAYS_INLINE void add_pair(float *sums, weight_pair pair, float value)
{
    float low = sums[0], high = sums[1];
    __asm__("vfma.f32 %0, %2, %3\n\tvfma.f32 %1, %p2, %3"
            : "+&t"(low), "+&t"(high)
            : "w"(pair), "t"(value));
    sums[0] = low;
    sums[1] = high;
}
#else
typedef struct {
    float low, high;
} weight_pair;

ALWAYS_INLINE weight_pair load_pair(const float *weights)
{
    weight_pair pair;
    pair.low = weights[0];
    pair.high = weights[1];
    return pair;
}

/* Two neighbouring sums += weight * value. */
ALWAYS_INLINE void add_pair(float *sums, weight_pair pair, float value)
{
    sums[0] = multiply_add(sums[0], pair.low, value);
    sums[1] = multiply_add(sums[1], pair.high, value);
}
#endif

/* A quotient that is not divided yet, so that products of several need one division. */
typedef struct {
    float numerator, denominator;
} ratio;

/* tanh(x). The ratio of polynomials is wrong by at most {{ tanh_error }}.
 * Define {{ ID }}_EXACT_TANH to use the C library's tanhf instead. */
#if defined({{ ID }}_EXACT_TANH)
ALWAYS_INLINE ratio tanh_ratio(float x)
{
    ratio result;
    result.numerator = TANHF(x);
    result.denominator = 1.0f;
    return result;
}
#else
ALWAYS_INLINE ratio tanh_ratio(float x)
{
    const float limit = {{ limit }};
    ratio result;
    float x2, x4, x6, sum;
#if defined(__ARM_FEATURE_NUMERIC_MAXMIN) || (defined(__ARM_ARCH_7EM__) && (__ARM_FP & 8))
    x = FMINF(FMAXF(x, -limit), limit); /* two instructions of the FPv5 */
#else
    x = x > -limit ? x : -limit;
    x = x < limit ? x : limit;
#endif
    x2 = x * x;
    x4 = x2 * x2;
    x6 = x2 * x4;
    sum = multiply_add({{ numerator[0] }}, {{ numerator[1] }}, x2);
    sum = multiply_add(sum, {{ numerator[2] }}, x4);
    sum = multiply_add(sum, {{ numerator[3] }}, x6);
    result.numerator = x * sum;
    sum = multiply_add({{ denominator[0] }} + x6, {{ denominator[1] }}, x2);
    result.denominator = multiply_add(sum, {{ denominator[2] }}, x4);
    return result;
}
#endif

{% for lanes in kernels %}
/* sum += row * value, {{ lanes }} sums at once. */
ALWAYS_INLINE void add_row_{{ lanes }}(float *sum, const float *row, float value)
{
{% for pair in range(0, lanes, 2) %}
    add_pair(sum + {{ pair }}, load_pair(row + {{ pair }}), value);
{% endfor %}
}

{{ rows("add_rows_%d" % lanes, "add_row_%d" % lanes, lanes, ["sum"]) }}
{% endfor %}
{% if family == "gru" %}
/* The input's share: two units' update and reset gates, and apart their candidates. */
ALWAYS_INLINE void add_input_row(float *sum, float *candidate, const float *row, float value)
{
    add_row_4(sum, row, value);
    add_row_2(candidate, row + 4, value);
}

{{ rows("add_input_rows", "add_input_row", 6, ["sum", "candidate"]) }}
{% endif %}
{% if front %}
/* {{ front.units }} features of the last {{ front.inputs }} samples; rows are samples, the oldest first. */
ALIGNED static const struct {
    float taps[{{ front.fields.taps }}];
} features_of_frame[{{ front.blocks|length }}] = {
{% for block in front.blocks %}
    {
        {
{{ numbers(block.taps) }}
        },
    },
{% endfor %}
};

{% endif %}
{% for layer in layers %}
{% set number = loop.index %}
{% set is_output = family == "conv" and loop.last %}
{{ "/* Output layer: one column a position, the oldest first." if is_output else
   "/* Layer %d: %d units, %d a block." % (number, layer.units, layer.per_block) }}{{
   " Matrices: rows are inputs; columns: " ~ columns ~ "." }} */
ALIGNED static const struct {
{% for name, size in layer.fields.items() %}
    float {{ name }}[{{ size }}];
{% endfor %}
} {{ "output_layer" if is_output else "layer_%d" % number }}[{{ layer.blocks|length }}] = {
{% for block in layer.blocks %}
    {
{% for name, values in block.items() %}
        { /* {{ name }} */
{{ numbers(values) }}
        },
{% endfor %}
    },
{% endfor %}
};

{% endfor %}
static const float output_bias = {{ output_bias }};

ALWAYS_INLINE void clear({{ id }}_state *state)
{
    unsigned char *bytes = (unsigned char *)state;
    size_t n;
    for (n = 0; n < sizeof *state; ++n) {
        bytes[n] = 0;
    }
}

{% include cell %}

void {{ id }}_process({{ id }}_state *state, const float *in, float *out, size_t samples)
{
    size_t n;
    for (n = 0; n < samples; ++n) {
        const float dry = in[n];
        out[n] = {{ "dry + " if residual }}step(state, dry);
    }
}
