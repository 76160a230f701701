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
        {
            tanh_parts parts[{{ lanes }}];
            float now[2], squares[{{ lanes }}];
            limit_{{ lanes }}(sum, squares);
{% for l in range(0, lanes // 4 * 4, 4) %}
            parts_of_4_tanhs(sum + {{ l }}, squares + {{ l }}, parts + {{ l }});
{% endfor %}
{% if lanes % 4 %}
            parts_of_2_tanhs(sum + {{ lanes - 2 }}, squares + {{ lanes - 2 }}, parts + {{ lanes - 2 }});
{% endif %}
{% for l in range(0, lanes, 2) %}
            divide_two(tanh_of(parts[{{ l }}]), tanh_of(parts[{{ l + 1 }}]), 1.0f, now);
{% for unit in range(2) %}
            {{ store }}[{{ lanes }} * block + {{ l + unit }}] = now[{{ unit }}];
{% if "output" in layers[k - 1].fields %}
            wet = multiply_add(wet, layer_{{ k }}[block].output[{{ l + unit }}], now[{{ unit }}]);
{% endif %}
{% endfor %}
{% endfor %}
        }
    }
    return wet;
}
{% endmacro %}
