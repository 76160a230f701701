/* The model as generated C99 (pedal_model.h, pedal_model.c). */
#ifndef PEDALFRAME_C_ENGINE_H
#define PEDALFRAME_C_ENGINE_H

#include "engine.h"
#include "pedal_model.h"

namespace pedalframe {

class CEngine final : public Engine {
public:
    bool begin() override
    {
        reset();
        return true;
    }

    void reset() override { pedal_model_reset(&state_); }

    void process(const float *dry, float *wet, std::size_t samples) override
    {
        pedal_model_process(&state_, dry, wet, samples);
    }

private:
    pedal_model_state state_;
};

} // namespace pedalframe

#endif
