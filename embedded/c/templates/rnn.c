{% from "ungated.c" import tanh_layer with context %}
{% for layer in layers %}
{% set k = loop.index %}
{% set lanes = layer.per_block %}
{% set feeds %}
{% if k == 1 %}
        (void)add_rows_{{ lanes }}_1(sum, layer_1[block].input, &input);
{% else %}
        add_rows_{{ lanes }}(sum, layer_{{ k }}[block].input, input, {{ layer.inputs }});
{% endif %}
        add_rows_{{ lanes }}(sum, layer_{{ k }}[block].recurrent, before, {{ layer.units }});
{% endset %}
/* Layer {{ k }}: h = tanh(input + recurrent). */
{{ tanh_layer(k, ("float input" if k == 1 else "const float *input") ~ ", const float *before, float *after", feeds, "after") }}
{% endfor %}
{% include "stream.c" %}
