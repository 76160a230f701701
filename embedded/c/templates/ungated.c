{% macro tanh_layer(k, parameters, feeds, store) %}
ALWAYS_INLINE float step_{{ k }}({{ parameters }})
{
    float wet = output_bias;
    int block;
    for (block = 0; block < {{ layers[k - 1].blocks|length }}; ++block) {
{% set lanes = layers[k - 1].per_block %}
        float sum[{{ lanes }}] = {
{% for l in range(lanes) %}
            layer_{{ k }}[block].bias[{{ l }}],
{% endfor %}
        };
{{ feeds }}
{% for l in range(lanes) %}
        {
            const ratio t = tanh_ratio(sum[{{ l }}]);
            const float h = t.numerator / t.denominator;
            {{ store }}[{{ lanes }} * block + {{ l }}] = h;
{% if "output" in layers[k - 1].fields %}
            wet = multiply_add(wet, layer_{{ k }}[block].output[{{ l }}], h);
{% endif %}
        }
{% endfor %}
    }
    return wet;
}
{% endmacro %}
