/* What computes the model: the generated C, or TFLite Micro. */
#ifndef PEDALFRAME_ENGINE_H
#define PEDALFRAME_ENGINE_H

#include <cstddef>

namespace pedalframe {

class Engine {
public:
    /* Prepare once, outside the audio path. False if the model cannot be run. */
    virtual bool begin() = 0;

    /* Silence before the next sample. */
    virtual void reset() = 0;

    /* Dry samples to wet ones, both mono, full scale -1 to 1; they may be the same array.
     * samples is a multiple of block(). Takes no lock and no memory. */
    virtual void process(const float *dry, float *wet, std::size_t samples) = 0;

    /* How many samples the model takes at a time. */
    virtual std::size_t block() const { return 1; }

    /* By how many samples, at the rate of process(), the answer comes late. */
    virtual std::size_t delay() const { return 0; }

protected:
    ~Engine() = default; /* engines are static and never deleted */
};

} // namespace pedalframe

#endif
