#include "pedal.h"

#include "denormals.h"

namespace pedalframe {

namespace {

/* One step of a fade: nearer by a share of the way, there when it is near. */
float nearer(float now, float target, float share)
{
    const float way = target - now;
    return way < 1e-4f && way > -1e-4f ? target : now + share * way;
}

} // namespace

/* Exponential fades: after FADE_S, 1 % is left. */
Pedal::Pedal(Engine &engine, float sample_rate_hz)
    : engine_(engine), fade_step_(4.6f / (FADE_S * sample_rate_hz))
{
}

bool Pedal::begin(std::size_t block_samples)
{
    const std::size_t unit = engine_.block();
    if (unit == 0 || unit > MOST || block_samples % unit != 0) {
        return false;
    }
    most_ = MOST / unit * unit;
    denormals_off();
    return engine_.begin();
}

void Pedal::process(const float *dry, float *wet, std::size_t samples)
{
    denormals_off();
    while (samples > 0) {
        const std::size_t some = samples < most_ ? samples : most_;
        process_some(dry, wet, some);
        dry += some;
        wet += some;
        samples -= some;
    }
}

/* The model runs in bypass too, so that its state is right when it comes back. What it answers
 * must never be heard there, not even NaN. */
void Pedal::process_some(const float *dry, float *wet, std::size_t samples)
{
    const float in = input_gain_.load(std::memory_order_relaxed);
    const float out = output_gain_.load(std::memory_order_relaxed);
    const float on = bypass_.load(std::memory_order_relaxed) ? 0.0f : 1.0f;
    std::uint32_t clipped = 0;
    float broken = 0.0f; /* NaN as soon as the model answers NaN or infinity */
    for (std::size_t n = 0; n < samples; ++n) {
        now_in_ = nearer(now_in_, in, fade_step_);
        model_[n] = now_in_ * dry[n];
    }
    engine_.process(model_, model_, samples);
    for (std::size_t n = 0; n < samples; ++n) {
        now_out_ = nearer(now_out_, out, fade_step_);
        now_wet_ = nearer(now_wet_, on, fade_step_);
        broken += model_[n] - model_[n];
        float sample = dry[n];
        if (now_wet_ != 0.0f) { /* 0 times NaN would be NaN */
            sample += now_wet_ * (now_out_ * model_[n] - dry[n]);
        }
        if (!(sample >= -1.0f && sample <= 1.0f)) { /* NaN too */
            sample = sample > 1.0f ? 1.0f : sample < -1.0f ? -1.0f : 0.0f;
            ++clipped;
        }
        wet[n] = sample;
    }
    if (!(broken == 0.0f)) { /* it would stay in the state for good */
        engine_.reset();
    }
    if (clipped > 0) {
        clipped_.store(clipped_.load(std::memory_order_relaxed) + clipped, std::memory_order_relaxed);
    }
}

void Pedal::took(std::uint32_t time, std::uint32_t allowed)
{
    const float load = static_cast<float>(time) / static_cast<float>(allowed);
    if (load > peak_load_.load(std::memory_order_relaxed)) {
        peak_load_.store(load, std::memory_order_relaxed);
    }
    if (time > allowed) {
        overloads_.store(overloads_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
}

float Pedal::peak_load()
{
    const float load = peak_load_.load(std::memory_order_relaxed);
    peak_load_.store(0.0f, std::memory_order_relaxed);
    return load;
}

} // namespace pedalframe
