/* See the header. */
#include "firmware.h"

#include "pedal.h"
#include "pedal_board.h"
#ifdef BENCH
#include "cortex_m7_clock.h"
#endif

namespace {

pedalframe::Pedal pedal(pedalframe::board_engine(), static_cast<float>(pedalframe::BOARD_RATE_HZ));

} // namespace

extern "C" void firmware_reset(firmware_state *state)
{
    state->is_ready = pedal.begin(pedalframe::BOARD_BLOCK);
}

/* What cannot run is heard at once: NaN. */
extern "C" void firmware_process(firmware_state *state, const float *in, float *out, size_t samples)
{
    if (state->is_ready) {
        pedal.process(in, out, samples);
        return;
    }
    for (size_t n = 0; n < samples; ++n) {
        out[n] = __builtin_nanf("");
    }
}

#ifdef BENCH
/* The simulator has no counter of cycles; caches and interrupts are those of a board. */
extern "C" const char *firmware_bench(uint32_t (*now)(void))
{
    using namespace pedalframe::cortex_m7;
    start_counting();
    return pedalframe::run_bench(
        pedal, { now, empty_caches, interrupts_off, interrupts_on, "instructions", 31250000 });
}
#endif
