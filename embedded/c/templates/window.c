/* Take in a sample and return the last {{ window }}, the oldest first. Every sample is kept
 * twice, one window apart, so that the window never wraps. */
ALWAYS_INLINE const float *remember({{ id }}_state *state, float dry)
{
    const int at = state->at;
    state->history[at] = dry;
    state->history[at + {{ window }}] = dry;
    state->at = at + 1 == {{ window }} ? 0 : at + 1;
    return state->history + at + 1;
}
