{% set units = layers[0].units %}
ALWAYS_INLINE float leaky_relu(float x)
{
    return at_least(x, {{ slope }} * x);
}

/* The sample becomes a signal of several channels. */
ALWAYS_INLINE void widen(float dry, float *signal)
{
    int block;
    for (block = 0; block < {{ layers[0].blocks|length }}; ++block) {
        float sum[{{ layers[0].per_block }}] = { 0.0f };
        (void)add_rows_{{ layers[0].per_block }}_1(sum, layer_1[block].input, &dry);
{% for l in range(layers[0].per_block) %}
        signal[{{ layers[0].per_block }} * block + {{ l }}] = sum[{{ l }}];
{% endfor %}
    }
}

{% for number in range(1, depth + 1) %}
{% set k = 2 * number %}
{% set layer = layers[k - 1] %}
{% set lanes = layer.per_block %}
/* Convolution {{ number }}: {{ taps[number - 1] }} taps, {{ dilations[number - 1] }} samples apart, of its last {{ pasts[number - 1] }} inputs, which lie in a
 * ring whose oldest is at `at`, and of the newest; and the dry sample is mixed in. */
ALWAYS_INLINE void convolve_{{ number }}(const float *ring, int at, const float *newest, float dry, float *answer)
{
    int block;
    for (block = 0; block < {{ layer.blocks|length }}; ++block) {
        const float *taps = layer_{{ k }}[block].taps;
        int tap, from = at;
        float sum[{{ lanes }}] = {
{% for l in range(lanes) %}
            layer_{{ k }}[block].bias[{{ l }}],
{% endfor %}
        };
        (void)add_rows_{{ lanes }}_1(sum, layer_{{ k }}[block].mix, &dry);
        for (tap = 1; tap < {{ taps[number - 1] }}; ++tap, taps += {{ units * lanes }}) {
            add_rows_{{ lanes }}(sum, taps, ring + from, {{ units }});
            from += {{ units * dilations[number - 1] }};
            from = from < {{ units * pasts[number - 1] }} ? from : from - {{ units * pasts[number - 1] }};
        }
        add_rows_{{ lanes }}(sum, taps, newest, {{ units }});
{% for l in range(lanes) %}
        answer[{{ lanes }} * block + {{ l }}] = leaky_relu(sum[{{ l }}]);
{% endfor %}
    }
}

{% if number < depth %}
{% set join = layers[k] %}
/* What answer {{ number }} adds to the signal. */
ALWAYS_INLINE void join_{{ number }}(const float *answer, float *signal)
{
    int block;
    for (block = 0; block < {{ join.blocks|length }}; ++block) {
        float sum[{{ lanes }}] = {
{% for l in range(lanes) %}
            layer_{{ k + 1 }}[block].bias[{{ l }}],
{% endfor %}
        };
        add_rows_{{ lanes }}(sum, layer_{{ k + 1 }}[block].input, answer, {{ units }});
{% for l in range(lanes) %}
        signal[{{ lanes }} * block + {{ l }}] += sum[{{ l }}];
{% endfor %}
    }
}

{% endif %}
{% endfor %}
void {{ id }}_reset({{ id }}_state *state)
{
    clear(state);
}

/* One sample. Every convolution's input takes the place of the oldest in its ring. */
ALWAYS_INLINE float step({{ id }}_state *state, float dry)
{
    float signal[{{ units }}], answer[{{ units }}], together[{{ units }}] = { 0.0f };
    float wet = output_bias;
    int unit;
    widen(dry, signal);
{% for number in range(1, depth + 1) %}
    {
        const int at = state->at_{{ number }};
        convolve_{{ number }}(state->ring_{{ number }}, at, signal, dry, answer);
        for (unit = 0; unit < {{ units }}; ++unit) {
            state->ring_{{ number }}[at + unit] = signal[unit];
            together[unit] += answer[unit];
        }
        state->at_{{ number }} = at + {{ units }} == {{ units * pasts[number - 1] }} ? 0 : at + {{ units }};
    }
{% if number < depth %}
    join_{{ number }}(answer, signal);
{% endif %}
{% endfor %}
{% set last = layers[-1] %}
    for (unit = 0; unit < {{ units }}; ++unit) {
        wet = multiply_add(wet, layer_{{ 2 * depth }}[unit / {{ last.per_block }}].output[unit % {{ last.per_block }}], together[unit]);
    }
    return wet;
}
