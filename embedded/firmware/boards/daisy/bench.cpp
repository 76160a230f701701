/* How long the pedal takes on a Daisy Seed, told over serial every two seconds; no audio. */
#include <cstring>

#include "bench.h"
#include "cortex_m7_clock.h"
#include "daisy_seed.h"

using namespace pedalframe;

static daisy::DaisySeed seed;
static Pedal pedal(board_engine(), static_cast<float>(BOARD_RATE_HZ));

int main()
{
    seed.Init(true); /* 480 MHz */
    seed.StartLog(false);
    const char *const told = run_bench(pedal, cortex_m7::clock(daisy::System::GetSysClkFreq()));
    for (bool on = true;; on = !on) {
        seed.SetLed(on);
        const char *rest = told;
        while (*rest != '\0') { /* in pieces, for libDaisy's buffer has 128 bytes */
            seed.Print("%.48s", rest);
            rest += std::strlen(rest) < 48 ? std::strlen(rest) : 48;
            daisy::System::Delay(20);
        }
        daisy::System::Delay(2000);
    }
}
