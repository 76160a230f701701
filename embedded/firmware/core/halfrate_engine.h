/* A model of half the board's rate, between a halving and a doubling of the rate. */
#ifndef PEDALFRAME_HALFRATE_ENGINE_H
#define PEDALFRAME_HALFRATE_ENGINE_H

#include "engine.h"
#include "halfband.h"

namespace pedalframe {

class HalfRateEngine final : public Engine {
public:
    /* The longest call to the model; longer blocks are cut up. A multiple of its block. */
    static constexpr std::size_t MOST = 128;

    explicit HalfRateEngine(Engine &model) : model_(model) {}

    bool begin() override
    {
        reset();
        return model_.begin() && MOST % model_.block() == 0;
    }

    void reset() override
    {
        halver_.reset();
        doubler_.reset();
        model_.reset();
    }

    void process(const float *dry, float *wet, std::size_t samples) override
    {
        while (samples > 0) {
            const std::size_t half = samples / 2 < MOST ? samples / 2 : MOST;
            for (std::size_t n = 0; n < half; ++n) {
                low_[n] = halver_(dry[2 * n], dry[2 * n + 1]);
            }
            model_.process(low_, low_, half);
            for (std::size_t n = 0; n < half; ++n) {
                doubler_(low_[n], wet[2 * n], wet[2 * n + 1]);
            }
            dry += 2 * half;
            wet += 2 * half;
            samples -= 2 * half;
        }
    }

    std::size_t block() const override { return 2 * model_.block(); }
    std::size_t delay() const override { return 2 * model_.delay() + halfband::DELAY; }

private:
    Engine &model_;
    Halver halver_;
    Doubler doubler_;
    float low_[MOST];
};

} // namespace pedalframe

#endif
