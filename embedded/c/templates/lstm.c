{% for layer in layers %}
{% set k = loop.index %}
/* Layer {{ k }}: with s the gates' sigmoid, c = s(f) c + s(i) tanh(g), h = s(o) tanh(c).
 * Each is one quotient: with tanh = N / D, a sigmoid is (D + N) / (2 D). */
ALWAYS_INLINE float step_{{ k }}({{ "float input" if k == 1 and not front else "const float *input" }}, const float *before, float *after, float *cell)
{
    float wet = output_bias;
    int block;
    for (block = 0; block < {{ layer.blocks|length }}; ++block) {
        float sum[8] = {
{% for l in range(8) %}
            layer_{{ k }}[block].bias[{{ l }}],
{% endfor %}
        };
{% if k == 1 and not front %}
        add_row_8(sum, layer_1[block].input, input);
{% else %}
        add_rows_8(sum, layer_{{ k }}[block].input, input, {{ layer.inputs }});
{% endif %}
        add_rows_8(sum, layer_{{ k }}[block].recurrent, before, {{ layer.units }});
{% for unit in range(2) %}
        {
            const ratio i = tanh_ratio(sum[{{ unit }}]), f = tanh_ratio(sum[{{ 2 + unit }}]);
            const ratio g = tanh_ratio(sum[{{ 4 + unit }}]), o = tanh_ratio(sum[{{ 6 + unit }}]);
            const float both = i.denominator * g.denominator;
            const float kept = (f.denominator + f.numerator) * cell[2 * block + {{ unit }}];
            const float added = (i.denominator + i.numerator) * g.numerator;
            const float c = 0.5f * multiply_add(added * f.denominator, kept, both)
                / (both * f.denominator);
            const ratio t = tanh_ratio(c);
            const float h = 0.5f * (o.denominator + o.numerator) * t.numerator
                / (o.denominator * t.denominator);
            cell[2 * block + {{ unit }}] = c;
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
