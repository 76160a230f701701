/* A model of twice the board's rate, between a doubling and a halving of the rate: what it
 * distorts beyond the board's band is filtered out instead of folding back. */
#ifndef PEDALFRAME_DOUBLERATE_ENGINE_H
#define PEDALFRAME_DOUBLERATE_ENGINE_H

#include "engine.h"
#include "halfband.h"

namespace pedalframe {

class DoubleRateEngine final : public Engine {
public:
    /* The longest call to the model; longer blocks are cut up. A multiple of its block. */
    static constexpr std::size_t MOST = 128;

    explicit DoubleRateEngine(Engine &model) : model_(model) {}

    bool begin() override
    {
        reset();
        /* Another block, or an odd delay, has no whole number of the board's samples. */
        const std::size_t own = model_.block();
        return model_.begin() && MOST % own == 0 && (own == 1 || own % 2 == 0) &&
               model_.delay() % 2 == 0;
    }

    void reset() override
    {
        doubler_.reset();
        halver_.reset();
        last_ = 0.0f;
        model_.reset();
    }

    void process(const float *dry, float *wet, std::size_t samples) override
    {
        while (samples > 0) {
            const std::size_t now = samples < MOST / 2 ? samples : MOST / 2;
            for (std::size_t n = 0; n < now; ++n) {
                doubler_(dry[n], high_[2 * n], high_[2 * n + 1]);
            }
            model_.process(high_, high_, 2 * now);
            for (std::size_t n = 0; n < now; ++n) {
                wet[n] = halver_(last_, high_[2 * n]);
                last_ = high_[2 * n + 1];
            }
            dry += now;
            wet += now;
            samples -= now;
        }
    }

    std::size_t block() const override
    {
        return model_.block() == 1 ? 1 : model_.block() / 2;
    }

    std::size_t delay() const override { return model_.delay() / 2 + halfband::DOUBLED_DELAY; }

private:
    Engine &model_;
    Doubler doubler_;
    Halver halver_;
    float high_[MOST];
    float last_ = 0.0f;
};

} // namespace pedalframe

#endif
