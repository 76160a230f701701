/* The cycle counter and the caches of a Cortex-M7 (Armv7-M Architecture Reference Manual, B2.2.7,
 * B3.2, C1.8), the same on every board. */
#ifndef PEDALFRAME_CORTEX_M7_CLOCK_H
#define PEDALFRAME_CORTEX_M7_CLOCK_H

#include <cstdint>

#include "bench.h"

namespace pedalframe {
namespace cortex_m7 {

inline volatile std::uint32_t &at(std::uintptr_t address)
{
    return *reinterpret_cast<volatile std::uint32_t *>(address);
}

inline void start_counting()
{
    at(0xE000EDFC) |= 1u << 24; /* DEMCR.TRCENA: the counter's unit is on */
    at(0xE0001FB0) = 0xC5ACCE55; /* DWT_LAR: and may be written */
    at(0xE0001004) = 0;          /* DWT_CYCCNT */
    at(0xE0001000) |= 1u;        /* DWT_CTRL.CYCCNTENA */
}

inline std::uint32_t cycles()
{
    return at(0xE0001004);
}

/* Both caches empty, what is not written yet written. */
inline void empty_caches()
{
    __asm__ volatile("dsb" ::: "memory");
    at(0xE000ED84) = 0; /* CSSELR: the data cache of the first level */
    const std::uint32_t size = at(0xE000ED80); /* CCSIDR */
    const std::uint32_t sets = (size >> 13 & 0x7FFF) + 1, ways = (size >> 3 & 0x3FF) + 1;
    std::uint32_t way_shift = 32;
    while (ways > 1u && (std::uint64_t{ 1 } << (32 - way_shift)) < ways) {
        --way_shift;
    }
    for (std::uint32_t set = 0; set < sets; ++set) {
        for (std::uint32_t way = 0; way < ways; ++way) {
            at(0xE000EF74) = (ways > 1 ? way << way_shift : 0) | set << ((size & 7) + 4); /* DCCISW */
        }
    }
    __asm__ volatile("dsb" ::: "memory");
    at(0xE000EF50) = 0; /* ICIALLU */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

inline void interrupts_off()
{
    __asm__ volatile("cpsid i" ::: "memory");
}

inline void interrupts_on()
{
    __asm__ volatile("cpsie i" ::: "memory");
}

/* Started, for run_bench(). */
inline BenchClock clock(std::uint32_t clock_hz)
{
    start_counting();
    return { cycles, empty_caches, interrupts_off, interrupts_on, "cycles", clock_hz };
}

} // namespace cortex_m7
} // namespace pedalframe

#endif
