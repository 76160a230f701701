/* Halving and doubling the sample rate with one linear-phase half-band filter.
 *
 * The filter is scipy.signal.firwin(79, 0.5, window=("kaiser", 8)), of which every second
 * tap but the middle one is zero. At 44.1 kHz it passes up to 9.5 kHz within 0.001 dB and
 * is 80 dB down from 12.55 kHz on; what lies between folds to 9.5 to 11.025 kHz. At 88.2 kHz
 * all of these are twice as high. */
#ifndef PEDALFRAME_HALFBAND_H
#define PEDALFRAME_HALFBAND_H

#include <cstddef>

namespace pedalframe {
namespace halfband {

constexpr int SIDE_TAPS = 20; /* of each half, at odd distances from the middle */

/* Halved and doubled again, a signal is late by so many samples of the higher rate. */
constexpr int DELAY = 4 * SIDE_TAPS - 3;

/* Doubled, a signal is late by an odd number of samples of the higher rate. Halved again from one
 * sample of it earlier on, it is late by so many samples of the lower one. */
constexpr int DOUBLED_DELAY = 2 * SIDE_TAPS - 1;

/* Taps at distance 1, 3, 5, ... from the middle one, which is 0.5. */
constexpr float SIDE[SIDE_TAPS] = {
    3.1752896e-1f, -1.03777625e-1f, 5.98515e-2f, -4.027324e-2f, 2.890624e-2f,
    -2.136645e-2f, 1.5976243e-2f, -1.1954848e-2f, 8.886227e-3f, -6.5234685e-3f,
    4.7055953e-3f, -3.318541e-3f, 2.275629e-3f, -1.5074431e-3f, 9.564993e-4f,
    -5.744358e-4f, 3.2052584e-4f, -1.6083998e-4f, 6.7682224e-5f, -1.9089115e-5f,
};

} // namespace halfband

/* Two samples to one. */
class Halver {
public:
    void reset() { *this = Halver(); }

    /* Even and odd sample of a pair, in time's order; returns the one sample. */
    float operator()(float first, float second)
    {
        using namespace halfband;
        const int length = 2 * SIDE_TAPS;
        outer_[at_] = second;
        outer_[at_ + length] = second; /* kept twice, so that samples in order never wrap */
        at_ = at_ + 1 == length ? 0 : at_ + 1;
        inner_[middle_] = first;
        middle_ = middle_ + 1 == SIDE_TAPS ? 0 : middle_ + 1;
        const float *taps = outer_ + at_; /* the oldest first */
        float sum = 0.5f * inner_[middle_];
        for (int n = 0; n < SIDE_TAPS; ++n) {
            sum += SIDE[n] * (taps[SIDE_TAPS - 1 - n] + taps[SIDE_TAPS + n]);
        }
        return sum;
    }

private:
    float outer_[4 * halfband::SIDE_TAPS] = {};
    float inner_[halfband::SIDE_TAPS] = {};
    int at_ = 0, middle_ = 0;
};

/* One sample to two. */
class Doubler {
public:
    void reset() { *this = Doubler(); }

    void operator()(float sample, float &first, float &second)
    {
        using namespace halfband;
        const int length = 2 * SIDE_TAPS;
        ring_[at_] = sample;
        ring_[at_ + length] = sample;
        at_ = at_ + 1 == length ? 0 : at_ + 1;
        const float *taps = ring_ + at_; /* the oldest first */
        float sum = 0.0f;
        for (int n = 0; n < SIDE_TAPS; ++n) {
            sum += SIDE[n] * (taps[SIDE_TAPS - 1 - n] + taps[SIDE_TAPS + n]);
        }
        first = 2.0f * sum;
        second = taps[SIDE_TAPS];
    }

private:
    float ring_[4 * halfband::SIDE_TAPS] = {};
    int at_ = 0;
};

} // namespace pedalframe

#endif
