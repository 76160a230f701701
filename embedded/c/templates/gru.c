{% for layer in layers %}
{% set k = loop.index %}
/* Layer {{ k }}: with s the gates' sigmoid, n = tanh(input + s(r) recurrent),
 * h = s(z) h + (1 - s(z)) n. With tanh = N / D, s is (D + N) / (2 D), 1 - s (D - N) / (2 D).
 * The recurrent share of the candidate is stored halved. */
ALWAYS_INLINE float step_{{ k }}({{ "float input" if k == 1 and not front else "const float *input" }}, const float *before, float *after)
{
    float wet = output_bias;
    int block;
    for (block = 0; block < {{ layer.blocks|length }}; ++block) {
        float sum[6] = {
{% for l in range(6) %}
            layer_{{ k }}[block].bias[{{ l }}],
{% endfor %}
        };
        float candidate[2] = {
            layer_{{ k }}[block].candidate_bias[0],
            layer_{{ k }}[block].candidate_bias[1],
        };
{% if k == 1 and not front %}
        add_input_row(sum, candidate, layer_1[block].input, input);
{% else %}
        add_input_rows(sum, candidate, layer_{{ k }}[block].input, input, {{ layer.inputs }});
{% endif %}
        add_rows_6(sum, layer_{{ k }}[block].recurrent, before, {{ layer.units }});
{% for unit in range(2) %}
        {
            const ratio z = tanh_ratio(sum[{{ unit }}]), r = tanh_ratio(sum[{{ 2 + unit }}]);
            const float twice_reset = (r.denominator + r.numerator) / r.denominator;
            const ratio n = tanh_ratio(multiply_add(candidate[{{ unit }}], twice_reset, sum[{{ 4 + unit }}]));
            const float kept = (z.denominator + z.numerator) * before[2 * block + {{ unit }}];
            const float added = (z.denominator - z.numerator) * n.numerator;
            const float h = 0.5f * multiply_add(added, kept, n.denominator)
                / (z.denominator * n.denominator);
            after[2 * block + {{ unit }}] = h;
{% if "output" in layer.fields %}
            wet = multiply_add(wet, layer_{{ k }}[block].output[{{ unit }}], h);
{% endif %}
        }
{% endfor %}
    }
    return wet;
}

{% endfor %}
{% include "stream.c" %}
