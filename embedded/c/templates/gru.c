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
        (void)add_input_rows_1(sum, candidate, layer_1[block].input, &input);
{% else %}
        add_input_rows(sum, candidate, layer_{{ k }}[block].input, input, {{ layer.inputs }});
{% endif %}
        add_rows_6(sum, layer_{{ k }}[block].recurrent, before, {{ layer.units }});
        {
            tanh_parts gates[4], candidates[2];
            ratio hidden[2], n;
            float now[2], squares[4];
            limit_4(sum, squares);
            parts_of_4_tanhs(sum, squares, gates);
            divide_two(sigmoid_of(gates[2]), sigmoid_of(gates[3]), 1.0f, now);
{% for unit in range(2) %}
            now[{{ unit }}] = multiply_add(candidate[{{ unit }}], now[{{ unit }}], sum[{{ 4 + unit }}]);
{% endfor %}
            limit_2(now, squares);
            parts_of_2_tanhs(now, squares, candidates);
{% for unit in range(2) %}
            n = tanh_of(candidates[{{ unit }}]);
            hidden[{{ unit }}].denominator = gates[{{ unit }}].even * n.denominator;
            n.numerator *= multiply_add(gates[{{ unit }}].even, -gates[{{ unit }}].x, gates[{{ unit }}].odd);
            n.denominator *= multiply_add(gates[{{ unit }}].even, gates[{{ unit }}].x, gates[{{ unit }}].odd);
            hidden[{{ unit }}].numerator = multiply_add(n.numerator, n.denominator, before[2 * block + {{ unit }}]);
{% endfor %}
            divide_two(hidden[0], hidden[1], 0.5f, now);
{% for unit in range(2) %}
            after[2 * block + {{ unit }}] = now[{{ unit }}];
{% if "output" in layer.fields %}
            wet = multiply_add(wet, layer_{{ k }}[block].output[{{ unit }}], now[{{ unit }}]);
{% endif %}
{% endfor %}
        }
    }
    return wet;
}

{% endfor %}
{% include "stream.c" %}
