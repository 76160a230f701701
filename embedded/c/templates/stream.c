{% if front %}
{% include "features.c" %}

{% endif %}
void {{ id }}_reset({{ id }}_state *state)
{
    clear(state);
}

/* One sample. The states before and after it change places from sample to sample. */
ALWAYS_INLINE float step({{ id }}_state *state, float dry)
{
    const int now = state->now, next = 1 - now;
{% if front %}
    float input[{{ front.units }}];
{% endif %}
    state->now = next;
{% if front %}
    features(remember(state, dry), input);
{% endif %}
{% for layer in layers %}
{% set k = loop.index %}
    {{ "return" if loop.last else "(void)" }} step_{{ k }}({{ ("input" if front else "dry") if k == 1 else "state->hidden_%d[next]" % (k - 1) }}, state->hidden_{{ k }}[now], state->hidden_{{ k }}[next]{{ ", state->cell_%d" % k if has_cell_state }});
{% endfor %}
}
