{% include "window.c" %}

/* The linear features of a frame that enter the first layer. */
ALWAYS_INLINE void features(const float *frame, float *found)
{
    int block;
    for (block = 0; block < {{ front.blocks|length }}; ++block) {
        float sum[{{ front.per_block }}] = { 0.0f };
        add_rows_{{ front.per_block }}(sum, features_of_frame[block].taps, frame, {{ front.inputs }});
{% for l in range(front.per_block) %}
        found[{{ front.per_block }} * block + {{ l }}] = sum[{{ l }}];
{% endfor %}
    }
}
