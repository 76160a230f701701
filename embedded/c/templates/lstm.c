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
        (void)add_rows_8_1(sum, layer_1[block].input, &input);
{% else %}
        add_rows_8(sum, layer_{{ k }}[block].input, input, {{ layer.inputs }});
{% endif %}
        add_rows_8(sum, layer_{{ k }}[block].recurrent, before, {{ layer.units }});
        {
            tanh_parts gates[8], bounded[2];
            ratio cells[2], hidden[2], i, f, g, o[2];
            float both, kept, added, now[2], limited_now[2], squares[8];
            limit_8(sum, squares);
            parts_of_4_tanhs(sum, squares, gates);
            TOGETHER({% for n in range(4) %}"+t"(squares[{{ 4 + n }}]){{ ", " if not loop.last }}{% endfor %} : {% for n in range(4) %}"t"(gates[{{ n }}].odd), "t"(gates[{{ n }}].even){{ ", " if not loop.last }}{% endfor %});
            parts_of_4_tanhs(sum + 4, squares + 4, gates + 4);
{% for unit in range(2) %}
            i = sigmoid_of(gates[{{ unit }}]);
            f = sigmoid_of(gates[{{ 2 + unit }}]);
            g = tanh_of(gates[{{ 4 + unit }}]);
            o[{{ unit }}] = sigmoid_of(gates[{{ 6 + unit }}]);
            both = i.denominator * g.denominator;
            kept = f.numerator * cell[2 * block + {{ unit }}];
            added = i.numerator * g.numerator;
            cells[{{ unit }}].numerator = multiply_add(added * f.denominator, kept, both);
            cells[{{ unit }}].denominator = both * f.denominator;
{% endfor %}
            divide_two(cells[0], cells[1], 0.5f, now);
            limited_now[0] = now[0];
            limited_now[1] = now[1];
            limit_2(limited_now, squares);
            parts_of_2_tanhs(limited_now, squares, bounded);
{% for unit in range(2) %}
            cell[2 * block + {{ unit }}] = now[{{ unit }}];
            hidden[{{ unit }}] = tanh_of(bounded[{{ unit }}]);
            hidden[{{ unit }}].numerator *= o[{{ unit }}].numerator;
            hidden[{{ unit }}].denominator *= o[{{ unit }}].denominator;
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
