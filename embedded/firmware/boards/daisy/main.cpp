/* The pedal on a Daisy Seed: audio in 1, audio out 1 and 2.
 *
 * A switch between pin D15 and ground turns the effect on and off; the LED shines when it
 * is on, and blinks when the model does not answer its golden vectors as it should. Every
 * second the USB serial port tells how busy the processor was. */
#include <cstring>

#include "daisy_seed.h"
#include "pedal.h"
#include "pedal_board.h"
#include "selftest.h"

using namespace pedalframe;

namespace {

constexpr daisy::Pin SWITCH_PIN = daisy::seed::D15;

daisy::DaisySeed seed;
Pedal pedal(board_engine(), static_cast<float>(BOARD_RATE_HZ));
std::uint32_t ticks_a_block;

void process(daisy::AudioHandle::InputBuffer in, daisy::AudioHandle::OutputBuffer out, size_t samples)
{
    const std::uint32_t started = daisy::System::GetTick();
    pedal.process(in[0], out[0], samples);
    std::memcpy(out[1], out[0], samples * sizeof(float));
    pedal.took(daisy::System::GetTick() - started, ticks_a_block);
}

[[noreturn]] void blink()
{
    for (bool on = true;; on = !on) {
        seed.SetLed(on);
        daisy::System::Delay(100);
    }
}

} // namespace

int main()
{
    seed.Init(true); /* 480 MHz */
    seed.SetAudioSampleRate(daisy::SaiHandle::Config::SampleRate::SAI_48KHZ);
    seed.SetAudioBlockSize(BOARD_BLOCK);
    seed.StartLog(false);
    daisy::Switch bypass;
    bypass.Init(SWITCH_PIN);
    ticks_a_block = static_cast<std::uint32_t>(
        static_cast<float>(daisy::System::GetTickFreq()) * BOARD_BLOCK / BOARD_RATE_HZ);
    if (!pedal.begin(BOARD_BLOCK) || !(largest_golden_error(bare_model()) <= golden::TOLERANCE)) {
        blink();
    }
    seed.StartAudio(process);
    std::uint32_t told_ms = 0;
    for (;;) {
        bypass.Debounce();
        if (bypass.RisingEdge()) {
            pedal.set_bypass(!pedal.bypass());
        }
        seed.SetLed(!pedal.bypass());
        if (daisy::System::GetNow() - told_ms >= 1000) {
            told_ms = daisy::System::GetNow();
            seed.PrintLine("busiest block %d %% of its time, overloads %lu, clipped %lu",
                           static_cast<int>(100.0f * pedal.peak_load()),
                           static_cast<unsigned long>(pedal.overloads()),
                           static_cast<unsigned long>(pedal.clipped()));
        }
        daisy::System::Delay(1);
    }
}
