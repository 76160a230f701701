/* How long the firmware takes: counts around blocks of music, and tells them in a line of JSON.
 *
 * A board passes its clock: DWT->CYCCNT counts the cycles of a Cortex-M7. bench_data.h is
 * generated: the run's name and the music. The format is read by embedded/budget/on_board.py. */
#ifndef PEDALFRAME_BENCH_H
#define PEDALFRAME_BENCH_H

#include <cstddef>
#include <cstdint>

#include "bench_data.h"
#include "pedal.h"
#include "pedal_board.h"
#include "selftest.h"

namespace pedalframe {

struct BenchClock {
    std::uint32_t (*now)(); /* counts up, wraps */
    void (*cool)();         /* empties the caches, where there are any */
    void (*begin)();        /* what comes is counted: no interrupts from here */
    void (*end)();
    const char *unit; /* of what is counted: cycles, or instructions */
    std::uint32_t clock_hz;
};

namespace bench {

constexpr std::size_t BLOCKS = sizeof MUSIC / sizeof MUSIC[0] / BOARD_BLOCK;
constexpr std::size_t WARM = 256, COLD = 64; /* blocks that are counted */

/* Text in memory that was there before. */
class Line {
public:
    Line &text(const char *words)
    {
        while (*words != '\0' && at_ + 1 < sizeof text_) {
            text_[at_++] = *words++;
        }
        return *this;
    }

    Line &number(std::uint32_t value)
    {
        char digits[11];
        std::size_t first = sizeof digits - 1;
        digits[first] = '\0';
        do {
            digits[--first] = static_cast<char>('0' + value % 10);
            value /= 10;
        } while (value > 0);
        return text(digits + first);
    }

    const char *whole() const { return text_; }

private:
    char text_[640] = {};
    std::size_t at_ = 0;
};

/* Least, middle, 99th of a hundred, greatest. Sorts the counts. */
inline void tell_counts(Line &line, const char *name, std::uint32_t *counts, std::size_t size)
{
    for (std::size_t n = 1; n < size; ++n) { /* few enough for the plainest way */
        const std::uint32_t one = counts[n];
        std::size_t at = n;
        for (; at > 0 && counts[at - 1] > one; --at) {
            counts[at] = counts[at - 1];
        }
        counts[at] = one;
    }
    line.text(",\"").text(name).text("\":[").number(counts[0]).text(",").number(counts[size / 2]);
    line.text(",").number(counts[(99 * size + 99) / 100 - 1]).text(",").number(counts[size - 1]).text("]");
}

inline std::uint32_t billionths(float value)
{
    return value >= 0.0f && value < 4.0f ? static_cast<std::uint32_t>(1e9f * value) : UINT32_MAX; /* NaN too */
}

} // namespace bench

/* Prepare, count and tell. The pedal plays nothing meanwhile. */
inline const char *run_bench(Pedal &pedal, const BenchClock &clock)
{
    using namespace bench;
    static Line line;
    static float block[BOARD_BLOCK];
    static std::uint32_t warm[WARM], cold[COLD];
    const bool is_prepared = pedal.begin(BOARD_BLOCK);
    const float error = is_prepared ? largest_golden_error(bare_model()) : 1e9f;
    for (std::size_t n = 0; is_prepared && n < WARM + COLD + BLOCKS; ++n) {
        const std::int16_t *music = MUSIC + n % BLOCKS * BOARD_BLOCK;
        for (std::size_t at = 0; at < BOARD_BLOCK; ++at) {
            block[at] = static_cast<float>(music[at]) / 32768.0f;
        }
        const bool is_cold = n >= WARM + BLOCKS; /* the first blocks warm up */
        clock.begin();
        if (is_cold) {
            clock.cool();
        }
        const std::uint32_t started = clock.now();
        pedal.process(block, block, BOARD_BLOCK);
        const std::uint32_t took = clock.now() - started;
        clock.end();
        if (is_cold) {
            cold[n - WARM - BLOCKS] = took;
        } else if (n >= BLOCKS) {
            warm[n - BLOCKS] = took;
        }
    }
    line.text("{\"pedalframe_bench\":1,\"run\":\"").text(RUN).text("\",\"rendering\":\"").text(RENDERING);
    line.text("\",\"board\":\"").text(BOARD).text("\",\"route\":\"").text(ROUTE);
    line.text("\",\"unit\":\"").text(clock.unit).text("\",\"clock_hz\":").number(clock.clock_hz);
    line.text(",\"board_rate_hz\":").number(BOARD_RATE_HZ).text(",\"model_rate_hz\":").number(MODEL_RATE_HZ);
    line.text(",\"block\":").number(static_cast<std::uint32_t>(BOARD_BLOCK));
    line.text(",\"golden_error_ppb\":").number(billionths(error));
    line.text(",\"golden_allowed_ppb\":").number(billionths(golden::TOLERANCE));
    tell_counts(line, "warm", warm, WARM);
    tell_counts(line, "cold", cold, COLD);
    return line.text("}\n").whole();
}

} // namespace pedalframe

#endif
