{% from "rows.c" import rows with context %}
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

/* A Cortex-M FPU loads many weights by one instruction and multiplies by one after the other; GCC does
 * not do so by itself. For three cycles after a multiply-add a Cortex-M7 starts no such load, so the
 * more are loaded at once the better, and values are loaded meanwhile. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__) && defined(__ARM_FEATURE_FMA) \
    && defined(__ARM_PCS_VFP) && !defined(__ARM_NEON) && !defined({{ ID }}_NO_ASSEMBLER)
#define {{ ID }}_ASSEMBLER
#endif
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#define UNROLLED _Pragma("GCC unroll 8")
#else
#define UNROLLED
#endif

/* What comes before is done for all of these numbers before what comes after is begun: sums, extremes
 * and products that follow a multiply-add would wait for it. */
#if defined({{ ID }}_ASSEMBLER)
#define TOGETHER(...) __asm__("" : __VA_ARGS__)
#else
#define TOGETHER(...)
#endif

/* A quotient that is not divided yet, so that several need one division. */
typedef struct {
    float numerator, denominator;
} ratio;

/* tanh(x) = x * odd / even, by polynomials of x^2 wrong by at most {{ tanh_error }}.
 * Define {{ ID }}_EXACT_TANH to use the C library's tanhf instead. */
typedef struct {
    float x, odd, even;
} tanh_parts;

/* Beyond it the polynomials are no tanh; tanh is 1 there but for {{ tanh_error }}. */
#if defined({{ ID }}_EXACT_TANH)
#define TANH_LIMIT 20.0f
#else
#define TANH_LIMIT {{ limit }}
#endif
#if defined(__ARM_FEATURE_NUMERIC_MAXMIN) || (defined(__ARM_ARCH_7EM__) && (__ARM_FP & 8))
#define at_least FMAXF /* an instruction of the FPv5 */
#define at_most FMINF
#else
ALWAYS_INLINE float at_least(float x, float limit)
{
    return x > limit ? x : limit;
}

ALWAYS_INLINE float at_most(float x, float limit)
{
    return x < limit ? x : limit;
}
#endif

{% macro listed(text, count) %}{% for n in range(count) %}{{ text|replace("@", n) }}{{ ", " if not loop.last }}{% endfor %}{% endmacro %}
{% for count in (2, 4, 6, 8) %}
/* {{ count }} numbers within the limits, and their squares. */
ALWAYS_INLINE void limit_{{ count }}(float *x, float *squares)
{
{% for n in range(count) %}
    x[{{ n }}] = at_least(x[{{ n }}], -TANH_LIMIT);
{% endfor %}
    TOGETHER({{ listed('"+t"(x[@])', count) }});
{% for n in range(count) %}
    x[{{ n }}] = at_most(x[{{ n }}], TANH_LIMIT);
{% endfor %}
{% for n in range(count) %}
    squares[{{ n }}] = x[{{ n }}] * x[{{ n }}];
{% endfor %}
    TOGETHER({{ listed('"+t"(squares[@])', count) }});
}

{% endfor %}
{% for count in (2, 4) %}
/* {{ count }} numbers worked on in step: each step of one hides the latency of the others'. */
ALWAYS_INLINE void parts_of_{{ count }}_tanhs(const float *x, const float *squares, tanh_parts *parts)
{
#if defined({{ ID }}_EXACT_TANH)
    (void)squares;
{% for n in range(count) %}
    parts[{{ n }}].x = TANHF(x[{{ n }}]);
    parts[{{ n }}].odd = parts[{{ n }}].even = 1.0f;
{% endfor %}
#else
    float {{ listed("x2_@ = squares[@]", count) }};
    float {{ listed("x4_@, x6_@, odd_@, even_@", count) }};
{% for n in range(count) %}
    x4_{{ n }} = x2_{{ n }} * x2_{{ n }};
{% endfor %}
{% for n in range(count) %}
    x6_{{ n }} = x4_{{ n }} * x2_{{ n }};
{% endfor %}
    TOGETHER({{ listed('"+t"(x6_@)', count) }});
{% for power in (2, 4, 6) %}
{% for n in range(count) %}
    odd_{{ n }} = multiply_add({{ numerator[0] if power == 2 else "odd_%d" % n }}, {{ numerator[power // 2] }}, x{{ power }}_{{ n }});
    even_{{ n }} = multiply_add({{ denominator[0] if power == 2 else "even_%d" % n }}, {{ denominator[power // 2] }}, x{{ power }}_{{ n }});
{% endfor %}
{% endfor %}
{% for n in range(count) %}
    parts[{{ n }}].x = x[{{ n }}];
    parts[{{ n }}].odd = odd_{{ n }};
    parts[{{ n }}].even = even_{{ n }};
{% endfor %}
#endif
}

{% endfor %}
/* tanh(x). */
ALWAYS_INLINE ratio tanh_of(tanh_parts parts)
{
    ratio result;
    result.numerator = parts.x * parts.odd;
    result.denominator = parts.even;
    return result;
}

/* Twice the logistic function of 2 x, which is 1 + tanh(x). */
ALWAYS_INLINE ratio sigmoid_of(tanh_parts parts)
{
    ratio result;
    result.numerator = multiply_add(parts.even, parts.x, parts.odd);
    result.denominator = parts.even;
    return result;
}

/* Two quotients times a factor by one division. */
ALWAYS_INLINE void divide_two(ratio first, ratio second, float factor, float *quotients)
{
    const float inverse = factor / (first.denominator * second.denominator);
    quotients[0] = first.numerator * (second.denominator * inverse);
    quotients[1] = second.numerator * (first.denominator * inverse);
}

{% for lanes in kernels %}
/* sum += row * value for rows in turn, {{ lanes }} sums at once. */
{% set targets = [] %}
{% for l in range(lanes) %}{% set _ = targets.append("sum[%d]" % l) %}{% endfor %}
{{ rows("add_rows_%d" % lanes, targets, "float *sum", "sum") }}
{% endfor %}
{% if family == "gru" %}
/* The input's share: two units' update and reset gates, and apart their candidates. */
{{ rows("add_input_rows", ["sum[0]", "sum[1]", "sum[2]", "sum[3]", "candidate[0]", "candidate[1]"], "float *sum, float *candidate", "sum, candidate") }}
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
