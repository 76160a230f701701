/* Numbers too small for a full mantissa cost a PC many cycles; count them as zero. */
#ifndef PEDALFRAME_DENORMALS_H
#define PEDALFRAME_DENORMALS_H

#include <cstdint>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace pedalframe {

/* For the calling thread or interrupt level; cheap enough for every block. */
inline void denormals_off()
{
#if defined(__SSE__)
    _mm_setcsr(_mm_getcsr() | 0x8040u); /* flush to zero, and read as zero */
#elif defined(__aarch64__)
    std::uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("msr fpcr, %0" : : "r"(control | (UINT64_C(1) << 24)));
#elif defined(__arm__) && defined(__ARM_FP)
    std::uint32_t control;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(control));
    __asm__ volatile("vmsr fpscr, %0" : : "r"(control | (UINT32_C(1) << 24)));
#endif
}

} // namespace pedalframe

#endif
