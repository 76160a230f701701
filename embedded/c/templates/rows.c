{% macro rows(name, row, width, targets) %}
ALWAYS_INLINE void {{ name }}(float *{{ targets|join(", float *") }}, const float *row, const float *values, int rows)
{
    for (; rows >= 8; rows -= 8, row += {{ 8 * width }}, values += 8) {
{% for r in range(8) %}
        {{ row }}({{ targets|join(", ") }}, row + {{ r * width }}, values[{{ r }}]);
{% endfor %}
    }
    for (; rows >= 2; rows -= 2, row += {{ 2 * width }}, values += 2) {
        {{ row }}({{ targets|join(", ") }}, row, values[0]);
        {{ row }}({{ targets|join(", ") }}, row + {{ width }}, values[1]);
    }
    if (rows == 1) {
        {{ row }}({{ targets|join(", ") }}, row, values[0]);
    }
}
{% endmacro %}
