/* The pedal on a Teensy 4.0 or 4.1 with the audio board (SGTL5000): line in, line out.
 *
 * A switch between pin 2 and ground turns the effect on and off; the LED shines when it is
 * on. Every second the USB serial port tells how busy the processor was, and
 * whether the model answers its golden vectors as it should. */
#include <Arduino.h>
#include <AudioStream.h>
#include <control_sgtl5000.h>
#include <input_i2s.h>
#include <output_i2s.h>

#include "pedal.h"
#include "pedal_board.h"
#include "selftest.h"

using namespace pedalframe;

static_assert(AUDIO_BLOCK_SAMPLES == BOARD_BLOCK, "the model was prepared for other blocks");

namespace {

constexpr int SWITCH_PIN = 2;
constexpr unsigned long SETTLE_MS = 20;

float golden_error = 1e9f; /* of the self-test; told every second, for nobody listens at first */

Pedal pedal(board_engine(), AUDIO_SAMPLE_RATE_EXACT);

class PedalStream final : public AudioStream {
public:
    PedalStream() : AudioStream(1, queue_) {}
    volatile bool is_ready = false;

    void update() override
    {
        const std::uint32_t started = ARM_DWT_CYCCNT;
        audio_block_t *block = receiveWritable(0);
        if (block == nullptr) {
            block = allocate(); /* silence; the model's state goes on */
            if (block == nullptr) {
                return;
            }
            memset(block->data, 0, sizeof block->data);
        }
        if (is_ready) {
            process(block->data);
        }
        transmit(block);
        release(block);
        const float allowed = F_CPU_ACTUAL * (AUDIO_BLOCK_SAMPLES / AUDIO_SAMPLE_RATE_EXACT);
        pedal.took(ARM_DWT_CYCCNT - started, static_cast<std::uint32_t>(allowed));
    }

private:
    void process(std::int16_t *samples)
    {
        for (int n = 0; n < AUDIO_BLOCK_SAMPLES; ++n) {
            samples_[n] = static_cast<float>(samples[n]) / 32768.0f;
        }
        pedal.process(samples_, samples_, AUDIO_BLOCK_SAMPLES);
        for (int n = 0; n < AUDIO_BLOCK_SAMPLES; ++n) {
            const float scaled = 32767.0f * samples_[n];
            samples[n] = static_cast<std::int16_t>(scaled + (scaled < 0.0f ? -0.5f : 0.5f));
        }
    }

    audio_block_t *queue_[1];
    float samples_[AUDIO_BLOCK_SAMPLES];
};

AudioInputI2S input;
PedalStream stream;
AudioOutputI2S output;
AudioConnection to_pedal(input, 0, stream, 0);
AudioConnection to_left(stream, 0, output, 0);
AudioConnection to_right(stream, 0, output, 1);
AudioControlSGTL5000 codec;

} // namespace

void setup()
{
    pinMode(SWITCH_PIN, INPUT_PULLUP);
    pinMode(LED_BUILTIN, OUTPUT);
    Serial.begin(115200);
    AudioMemory(12);
    codec.enable();
    codec.inputSelect(AUDIO_INPUT_LINEIN);
    codec.volume(0.5f);
    const bool is_prepared = pedal.begin(AUDIO_BLOCK_SAMPLES);
    if (is_prepared) {
        golden_error = largest_golden_error(bare_model());
    }
    stream.is_ready = golden_error <= golden::TOLERANCE;
}

void loop()
{
    static bool was_pressed = false;
    static unsigned long changed_ms = 0, told_ms = 0;
    const unsigned long now_ms = millis();
    const bool is_pressed = digitalRead(SWITCH_PIN) == LOW;
    if (is_pressed != was_pressed && now_ms - changed_ms > SETTLE_MS) {
        was_pressed = is_pressed;
        changed_ms = now_ms;
        if (is_pressed) {
            pedal.set_bypass(!pedal.bypass());
        }
    }
    digitalWrite(LED_BUILTIN, stream.is_ready && !pedal.bypass() ? HIGH : LOW);
    if (now_ms - told_ms >= 1000) {
        told_ms = now_ms;
        Serial.printf("golden vectors: largest error %g, allowed %g%s\n",
                      static_cast<double>(golden_error), static_cast<double>(golden::TOLERANCE),
                      stream.is_ready ? "" : ": THE MODEL IS WRONG, the pedal stays clean");
        Serial.printf("busiest block %.1f %% of its time, overloads %lu, clipped %lu\n",
                      static_cast<double>(100.0f * pedal.peak_load()),
                      static_cast<unsigned long>(pedal.overloads()),
                      static_cast<unsigned long>(pedal.clipped()));
    }
}
