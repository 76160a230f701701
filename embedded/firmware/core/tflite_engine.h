/* The model in TFLite Micro's interpreter, in a static arena.
 *
 * pedal_tflite.h is generated: the model, its operators, its block and the arena's size.
 * Build TFLite Micro and this file with the same TF_LITE_STATIC_MEMORY: it changes structs. */
#ifndef PEDALFRAME_TFLITE_ENGINE_H
#define PEDALFRAME_TFLITE_ENGINE_H

#include <cstdint>

#include "engine.h"
#include "pedal_tflite.h"
#include "tensorflow/lite/micro/micro_interpreter.h"

namespace pedalframe {

class TfliteEngine final : public Engine {
public:
    bool begin() override;
    void reset() override;
    void process(const float *dry, float *wet, std::size_t samples) override;
    std::size_t block() const override { return tflite_model::BLOCK; }

    /* What the interpreter took of the arena; known after begin(). */
    std::size_t arena_used() const { return interpreter_ ? interpreter_->arena_used_bytes() : 0; }

private:
    bool fits() const;
    void write_dry(const float *dry);
    void read_wet(float *wet) const;
    void carry_out();
    void carry_in();

    tflite::MicroInterpreter *interpreter_ = nullptr;
    /* The frames of a block overlap: the FRAME - 1 samples before it and the block itself, in
     * the model's numbers of up to four bytes. */
    std::uint8_t history_[4 * (tflite_model::FRAME - 1 + tflite_model::BLOCK)] = {};
    /* The interpreter uses the memory of inputs for other things once they are read, so the
     * states are kept apart between two blocks. */
    std::uint8_t states_[tflite_model::STATE_BYTES + 1] = {};
    bool failed_ = false;
};

} // namespace pedalframe

#endif
