/* As large as the real library in a firmware, by the sizes that the test passes. */
#include "daisy_seed.h"

extern "C" {
__attribute__((used, section(".start"))) const unsigned char program[LIBRARY_FLASH] = { 1 };
unsigned char data[LIBRARY_RAM];
}

namespace daisy {

static volatile unsigned char *const device = data;

std::uint32_t System::GetNow() { return device[0]; }
std::uint32_t System::GetTick() { return device[1]; }
std::uint32_t System::GetTickFreq() { return device[2]; }
std::uint32_t System::GetSysClkFreq() { return device[5]; }
void System::Delay(std::uint32_t) {}
void Switch::Init(Pin, float) {}
void Switch::Debounce() {}
bool Switch::RisingEdge() const { return device[3] != 0; }
void DaisySeed::Init(bool) { device[0] = program[0]; }
void DaisySeed::SetLed(bool state) { device[4] = state; }
void DaisySeed::SetAudioSampleRate(SaiHandle::Config::SampleRate) {}
void DaisySeed::SetAudioBlockSize(std::size_t) {}
void DaisySeed::StartAudio(AudioHandle::AudioCallback cb)
{
    static float samples[48];
    const float *in[2] = { samples, samples };
    float *out[2] = { samples, samples };
    cb(in, out, 48);
}
void DaisySeed::StartLog(bool) {}
void DaisySeed::Print(const char *, ...) {}
void DaisySeed::PrintLine(const char *, ...) {}

} // namespace daisy
