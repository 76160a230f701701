{# Sums of one row's columns, and of several rows', that are loaded at once. #}
{% macro kernel(name, targets, rows, arguments) %}
{% set lanes = targets|length %}
ALWAYS_INLINE const float *{{ name }}({{ arguments }}, const float *row, const float *values)
{
#if defined({{ ID }}_ASSEMBLER)
    float {% for r in range(rows) %}value_{{ r }}{{ ", " if not loop.last }}{% endfor %};
    __asm__(
{% for r in range(rows) %}
        "vldr %[value_{{ r }}], [%[values], #{{ 4 * r }}]\n\t"
{% endfor %}
        "vldmia %[row]!, {s{{ 32 - lanes * rows }}-s31}\n\t"
{% for r in range(rows) %}
{% for l in range(lanes) %}
        "vfma.f32 %[sum_{{ l }}], s{{ 32 - lanes * (rows - r) + l }}, %[value_{{ r }}]\n\t"
{% endfor %}
{% endfor %}
        : {% for target in targets %}[sum_{{ loop.index0 }}] "+t"({{ target }}), {% endfor %}{% for r in range(rows) %}[value_{{ r }}] "=&t"(value_{{ r }}), {% endfor %}[row] "+r"(row)
        : [values] "r"(values), "m"(*(const float(*)[{{ rows }}])(const void *)values),
          "m"(*(const float(*)[{{ rows * lanes }}])(const void *)row)
        : {% for n in range(32 - lanes * rows, 32) %}"s{{ n }}"{{ ", " if not loop.last }}{% endfor %});
    return row;
#else
{% for r in range(rows) %}
{% for target in targets %}
    {{ target }} = multiply_add({{ target }}, row[{{ lanes * r + loop.index0 }}], values[{{ r }}]);
{% endfor %}
{% endfor %}
    return row + {{ lanes * rows }};
#endif
}
{% endmacro %}
{% macro rows(name, targets, arguments, passed) %}
{% set at_once = rows_at_once[targets|length] %}
{{ kernel(name ~ "_1", targets, 1, arguments) }}
{{ kernel(name ~ "_" ~ at_once, targets, at_once, arguments) }}
ALWAYS_INLINE void {{ name }}({{ arguments }}, const float *row, const float *values, int rows)
{
    int n;
    UNROLLED
    for (n = 0; n < rows / {{ at_once }}; ++n) {
        row = {{ name }}_{{ at_once }}({{ passed }}, row, values + {{ at_once }} * n);
    }
    for (n = rows / {{ at_once }} * {{ at_once }}; n < rows; ++n) {
        row = {{ name }}_1({{ passed }}, row, values + n);
    }
}
{% endmacro %}
