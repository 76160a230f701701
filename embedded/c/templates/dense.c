{% from "ungated.c" import tanh_layer with context %}
{% for layer in layers %}
{% set k = loop.index %}
{% set feeds %}
        add_rows_{{ layer.per_block }}(sum, layer_{{ k }}[block].input, input, {{ layer.inputs }});
{% endset %}
{{ tanh_layer(k, "const float *input, float *after", feeds, "after") }}
{% endfor %}
{% include "window.c" %}

void {{ id }}_reset({{ id }}_state *state)
{
    clear(state);
}

ALWAYS_INLINE float step({{ id }}_state *state, float dry)
{
    const float *frame = remember(state, dry);
{% for layer in layers %}
    float hidden_{{ loop.index }}[{{ layer.units }}];
{% endfor %}
{% for layer in layers %}
{% set k = loop.index %}
    {{ "return" if loop.last else "(void)" }} step_{{ k }}({{ "frame" if k == 1 else "hidden_%d" % (k - 1) }}, hidden_{{ k }});
{% endfor %}
}
