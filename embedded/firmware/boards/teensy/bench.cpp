/* How long the pedal takes on a Teensy 4.0 or 4.1, told over serial every two seconds; no audio. */
#include <Arduino.h>

#include "bench.h"
#include "cortex_m7_clock.h"

using namespace pedalframe;

static Pedal pedal(board_engine(), static_cast<float>(BOARD_RATE_HZ));

void setup()
{
    Serial.begin(115200);
}

void loop()
{
    static const char *const told = run_bench(pedal, cortex_m7::clock(F_CPU_ACTUAL));
    Serial.printf("%s", told);
    delay(2000);
}
