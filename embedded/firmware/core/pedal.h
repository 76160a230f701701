/* The pedal: gain, model, gain, and a bypass that fades. A block in, a block out.
 *
 * The setters may be called from another thread or interrupt level than process(): each
 * setting is one word, which these processors write whole. */
#ifndef PEDALFRAME_PEDAL_H
#define PEDALFRAME_PEDAL_H

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine.h"

namespace pedalframe {

class Pedal {
public:
    static constexpr float FADE_S = 0.01f; /* of bypass and gains, in all */

    Pedal(Engine &engine, float sample_rate_hz);

    /* Prepare; false if the engine cannot take blocks of this length. */
    bool begin(std::size_t block_samples);

    /* Linear gains before and after the model; bypass hears neither. */
    void set_input_gain(float gain) { input_gain_.store(gain, std::memory_order_relaxed); }
    void set_output_gain(float gain) { output_gain_.store(gain, std::memory_order_relaxed); }
    void set_bypass(bool on) { bypass_.store(on, std::memory_order_relaxed); }
    bool bypass() const { return bypass_.load(std::memory_order_relaxed); }

    /* Dry to wet, mono, full scale -1 to 1; may be the same array. samples is a multiple of
     * the engine's block. The output stays within full scale. */
    void process(const float *dry, float *wet, std::size_t samples);

    /* Tell what a block took and what it may take, in any unit; counts those that took more. */
    void took(std::uint32_t time, std::uint32_t allowed);

    std::uint32_t overloads() const { return overloads_.load(std::memory_order_relaxed); }
    std::uint32_t clipped() const { return clipped_.load(std::memory_order_relaxed); }

    /* Largest share of the allowed time that a block took since the last call. */
    float peak_load();

private:
    static constexpr std::size_t MOST = 256; /* samples worked on at once */

    void process_some(const float *dry, float *wet, std::size_t samples);

    Engine &engine_;
    const float fade_step_;
    std::size_t most_ = MOST;
    std::atomic<float> input_gain_{1.0f}, output_gain_{1.0f};
    std::atomic<bool> bypass_{false};
    std::atomic<std::uint32_t> overloads_{0}, clipped_{0};
    std::atomic<float> peak_load_{0.0f};
    float now_in_ = 1.0f, now_out_ = 1.0f, now_wet_ = 1.0f; /* gains on their way */
    float model_[MOST];
};

} // namespace pedalframe

#endif
