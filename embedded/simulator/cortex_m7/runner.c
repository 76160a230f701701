/* Start-up and main of a bare Cortex-M7 that runs a model over a file.
 *
 * Reads float32 samples from dry.f32 and writes what the model makes of them to wet.f32,
 * by semihosting (Arm, "Semihosting for AArch32 and AArch64"). Prints one line:
 *
 *     ticks <by blocks> <by single samples> single <samples> stack <bytes>
 *
 * Ticks are those of the board's timer around the model's calls alone. MODEL is the
 * model's name; BLOCK is how many samples a block has, and UNIT, which it is a multiple of,
 * how many a model takes at least. With BENCH defined it runs the firmware's bench instead.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define STATE JOIN(MODEL, _state)
#define RESET JOIN(MODEL, _reset)
#define PROCESS JOIN(MODEL, _process)

#include HEADER

#ifndef BLOCK
#define BLOCK 64
#endif
#ifndef UNIT
#define UNIT 1
#endif

enum { SINGLE = 1024 };

/* Timer 0 of Arm's CMSDK: counts down at the processor's clock (AN500, table 4). */
#define TIMER0_CONTROL (*(volatile uint32_t *)0x40000000u)
#define TIMER0_VALUE (*(volatile uint32_t *)0x40000004u)
#define TIMER0_RELOAD (*(volatile uint32_t *)0x40000008u)
#define COPROCESSOR_ACCESS (*(volatile uint32_t *)0xE000ED88u) /* CPACR */

enum { SYS_OPEN = 1, SYS_CLOSE = 2, SYS_WRITE0 = 4, SYS_WRITE = 5, SYS_READ = 6, SYS_EXIT = 0x18 };
enum { READ_BINARY = 1, WRITE_BINARY = 5 };
enum { STOPPED_WELL = 0x20026, STOPPED_BADLY = 0x20023 };

extern uint32_t data_source[], data_start[], data_end[], bss_start[], bss_end[];
extern uint32_t stack_bottom[], stack_top[];
extern void (*init_start[])(void), (*init_end[])(void);
int main(void);
void reset(void);
void fault(void);

static STATE model;
static float samples[BLOCK];

static int semihost(int operation, const void *parameters)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = parameters;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void stop(int reason)
{
    for (;;) {
        semihost(SYS_EXIT, (const void *)(intptr_t)reason);
    }
}

static int open_file(const char *name, int mode)
{
    const uintptr_t parameters[3] = { (uintptr_t)name, (uintptr_t)mode, strlen(name) };
    const int file = semihost(SYS_OPEN, parameters);
    if (file < 0) {
        stop(STOPPED_BADLY);
    }
    return file;
}

/* Both return how many bytes were left over. */
static size_t move(int operation, int file, float *values, size_t bytes)
{
    const uintptr_t parameters[3] = { (uintptr_t)file, (uintptr_t)values, bytes };
    return (size_t)semihost(operation, parameters);
}

static uint32_t ticks(void)
{
    return UINT32_MAX - TIMER0_VALUE;
}

enum { PAINT = 0x5AFEC0DE };

static uint32_t stack_used(uint32_t *top)
{
    uint32_t *deepest = stack_bottom;
    while (deepest < top && *deepest == PAINT) {
        ++deepest;
    }
    return (uint32_t)((uintptr_t)top - (uintptr_t)deepest);
}

static uint32_t stack_of_a_sample(void)
{
    uint32_t *top, *word;
    float unit[UNIT] = { 0.5f };
    __asm__ volatile("mov %0, sp" : "=r"(top));
    for (word = stack_bottom; word < top; ++word) {
        *word = PAINT;
    }
    PROCESS(&model, unit, unit, UNIT);
    return stack_used(top);
}

/* Tell a label and a number, in decimal. */
static void tell(const char *label, uint32_t number)
{
    char digits[12];
    char *first = digits + sizeof digits - 1;
    *first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    semihost(SYS_WRITE0, label);
    semihost(SYS_WRITE0, first);
}

#ifdef BENCH
/* The firmware's bench tells what it counted; ticks are of 40 ns, instructions take 32. */
uint32_t instructions(void)
{
    return ticks() / 4 * 5 + ticks() % 4 * 5 / 4;
}

int main(void)
{
    TIMER0_RELOAD = UINT32_MAX;
    TIMER0_VALUE = UINT32_MAX;
    TIMER0_CONTROL = 1;
    semihost(SYS_WRITE0, firmware_bench(instructions));
    stop(STOPPED_WELL);
    return 0;
}
#else
int main(void)
{
    uint32_t blocks = 0, singles = 0, started, stack, read_singly = 0;
    int dry, wet;

    TIMER0_RELOAD = UINT32_MAX;
    TIMER0_VALUE = UINT32_MAX;
    TIMER0_CONTROL = 1;
    RESET(&model);
    stack = stack_of_a_sample();

    RESET(&model);
    dry = open_file("dry.f32", READ_BINARY);
    wet = open_file("wet.f32", WRITE_BINARY);
    for (;;) {
        const size_t bytes = sizeof samples - move(SYS_READ, dry, samples, sizeof samples);
        if (bytes == 0) {
            break;
        }
        started = ticks();
        PROCESS(&model, samples, samples, (bytes / sizeof samples[0] + UNIT - 1) / UNIT * UNIT);
        blocks += ticks() - started;
        if (move(SYS_WRITE, wet, samples, bytes) != 0) {
            stop(STOPPED_BADLY);
        }
    }
    semihost(SYS_CLOSE, (const uintptr_t[]){ (uintptr_t)wet });

    /* Once more, the beginning, one sample a call. */
    RESET(&model);
    dry = open_file("dry.f32", READ_BINARY);
    while (read_singly < SINGLE && move(SYS_READ, dry, samples, sizeof samples) == 0) {
        size_t n;
        started = ticks();
        for (n = 0; n < BLOCK; n += UNIT) {
            PROCESS(&model, samples + n, samples + n, UNIT);
        }
        singles += ticks() - started;
        read_singly += BLOCK;
    }
    tell("ticks ", blocks);
    tell(" ", singles);
    tell(" single ", read_singly);
    tell(" stack ", stack);
    semihost(SYS_WRITE0, "\n");
    stop(STOPPED_WELL);
    return 0;
}
#endif

void fault(void)
{
    stop(STOPPED_BADLY);
}

void reset(void)
{
    const size_t bytes = (size_t)((uintptr_t)data_end - (uintptr_t)data_start);
    void (**constructor)(void);
    COPROCESSOR_ACCESS |= 0xFu << 20; /* the FPU: coprocessors 10 and 11 */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    memcpy(data_start, data_source, bytes);
    memset(bss_start, 0, (size_t)((uintptr_t)bss_end - (uintptr_t)bss_start));
    for (constructor = init_start; constructor < init_end; ++constructor) {
        (*constructor)();
    }
    (void)main();
}

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)stack_top, (uintptr_t)reset, (uintptr_t)fault, (uintptr_t)fault,
    (uintptr_t)fault,     (uintptr_t)fault, (uintptr_t)fault,
};
