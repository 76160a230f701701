/* Replays the golden vectors through the bare model, so that a wrong build is told at once. */
#ifndef PEDALFRAME_SELFTEST_H
#define PEDALFRAME_SELFTEST_H

#include <cstring>

#include "engine.h"
#include "golden.h"

namespace pedalframe {

/* The largest error, to be compared with golden::TOLERANCE; NaN stays NaN. The model must
 * have begun, and begins from silence again. */
inline float largest_golden_error(Engine &model)
{
    static float wet[(golden::SAMPLES + 127) / 128 * 128]; /* whole blocks of any model */
    float largest = 0.0f;
    std::memset(wet, 0, sizeof wet);
    std::memcpy(wet, golden::DRY, sizeof golden::DRY);
    model.reset();
    model.process(wet, wet, sizeof wet / sizeof wet[0]);
    model.reset();
    for (std::size_t n = 0; n < golden::SAMPLES; ++n) {
        const float error = wet[n] < golden::WET[n] ? golden::WET[n] - wet[n] : wet[n] - golden::WET[n];
        largest = error <= largest ? largest : error;
    }
    return largest;
}

} // namespace pedalframe

#endif
