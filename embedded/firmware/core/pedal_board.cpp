/* The one model of this firmware, in the engine and at the rate that pedal_config.h names. */
#include "pedal_board.h"

#include "doublerate_engine.h"
#include "halfrate_engine.h"

#if PEDAL_USES_TFLITE
#include "tflite_engine.h"
#else
#include "c_engine.h"
#endif

namespace pedalframe {

namespace {

#if PEDAL_USES_TFLITE
TfliteEngine model;
#else
CEngine model;
#endif

#if PEDAL_HALVES_RATE
HalfRateEngine resampled(model);
#elif PEDAL_DOUBLES_RATE
DoubleRateEngine resampled(model);
#endif

} // namespace

Engine &bare_model()
{
    return model;
}

Engine &board_engine()
{
#if PEDAL_HALVES_RATE || PEDAL_DOUBLES_RATE
    return resampled;
#else
    return model;
#endif
}

} // namespace pedalframe
