/* Stands in for libDaisy's header: what this project's firmware asks of it, as libDaisy's
 * documentation declares it. */
#pragma once

#include <cstddef>
#include <cstdint>

namespace daisy {

struct Pin {
    std::uint8_t port, pin;
};

namespace seed {
constexpr Pin D15 = { 2, 0 };
}

struct SaiHandle {
    struct Config {
        enum class SampleRate { SAI_8KHZ, SAI_16KHZ, SAI_32KHZ, SAI_48KHZ, SAI_96KHZ };
    };
};

struct AudioHandle {
    using InputBuffer = const float *const *;
    using OutputBuffer = float **;
    using AudioCallback = void (*)(InputBuffer in, OutputBuffer out, std::size_t size);
};

struct System {
    static std::uint32_t GetNow();
    static std::uint32_t GetTick();
    static std::uint32_t GetTickFreq();
    static std::uint32_t GetSysClkFreq();
    static void Delay(std::uint32_t delay_ms);
};

class Switch {
public:
    void Init(Pin pin, float update_rate = 0.0f);
    void Debounce();
    bool RisingEdge() const;
};

class DaisySeed {
public:
    void Init(bool boost = false);
    void SetLed(bool state);
    void SetAudioSampleRate(SaiHandle::Config::SampleRate samplerate);
    void SetAudioBlockSize(std::size_t blocksize);
    void StartAudio(AudioHandle::AudioCallback cb);
    static void StartLog(bool wait_for_pc = false);
    static void Print(const char *format, ...);
    static void PrintLine(const char *format, ...);
};

} // namespace daisy
