{% from "ungated.c" import tanh_layer with context %}
{% for layer in layers[:-1] %}
{% set k = loop.index %}
{% set feeds %}
{% if k > 1 %}
        add_rows_{{ layer.per_block }}(sum, layer_{{ k }}[block].earlier, earlier, {{ layer.inputs }});
{% endif %}
        add_rows_{{ layer.per_block }}(sum, layer_{{ k }}[block].input, input, {{ layer.inputs }});
{% endset %}
{{ tanh_layer(k, ("const float *earlier, " if k > 1 else "") ~ "const float *input, float *after", feeds, "after") }}
{% endfor %}
{% set taps = layers[-1] %}
{% set last = layers|length - 1 %}
/* Each position of the last layer adds to the output of a sample yet to come: the newest to
 * this one's, every older one's {{ stride }} samples later. Returns the output that is complete. */
ALWAYS_INLINE float add_to_outputs({{ id }}_state *state, const float *input)
{
    float *pending = state->pending;
    float wet;
    int block, position, at;
    float share[{{ taps.units }}];
    for (block = 0; block < {{ taps.blocks|length }}; ++block) {
        float sum[{{ taps.per_block }}] = { 0.0f };
        add_rows_{{ taps.per_block }}(sum, output_layer[block].input, input, {{ taps.inputs }});
{% for l in range(taps.per_block) %}
        share[{{ taps.per_block }} * block + {{ l }}] = sum[{{ l }}];
{% endfor %}
    }
    at = state->due;
    for (position = {{ positions - 1 }}; position >= 0; --position) {
        pending[at] += share[position];
        at += {{ stride }};
        at = at < {{ ring }} ? at : at - {{ ring }};
    }
    at = state->due;
    wet = output_bias + pending[at];
    pending[at] = 0.0f;
    state->due = at + 1 == {{ ring }} ? 0 : at + 1;
    return wet;
}

{% include "window.c" %}

/* Convolutions slide: what an earlier frame's layers found is kept, not computed again.
 * The next layers join a vector with the one {{ stride }} samples before it. */
ALWAYS_INLINE float step({{ id }}_state *state, float dry)
{
    const float *window = remember(state, dry);
{% for layer in layers[:-1] %}
    float hidden_{{ loop.index }}[{{ layer.units }}];
{% endfor %}
{% if last > 1 %}
    const int slot = state->slot;
    int unit;
    state->slot = (slot + 1) % {{ stride }};
{% endif %}
{% for layer in layers[:-1] %}
{% set k = loop.index %}
    (void)step_{{ k }}({{ "window" if k == 1 else "state->earlier_%d[slot], hidden_%d" % (k - 1, k - 1) }}, hidden_{{ k }});
{% if k > 1 %}
    for (unit = 0; unit < {{ layers[k - 2].units }}; ++unit) {
        state->earlier_{{ k - 1 }}[slot][unit] = hidden_{{ k - 1 }}[unit];
    }
{% endif %}
{% endfor %}
    return add_to_outputs(state, hidden_{{ last }});
}

/* Silence gone through for a frame is the state before the first sample. */
void {{ id }}_reset({{ id }}_state *state)
{
    int n;
    clear(state);
    for (n = 0; n < {{ frame_size }}; ++n) {
        (void)step(state, 0.0f);
    }
}
