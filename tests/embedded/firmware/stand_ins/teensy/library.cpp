/* As large as the real core and Audio library in a firmware, by the sizes that the test passes. */
#include <control_sgtl5000.h>
#include <input_i2s.h>
#include <output_i2s.h>

extern "C" {
__attribute__((used, section(".start"))) const unsigned char program[LIBRARY_FLASH] = { 1 };
unsigned char data[LIBRARY_RAM];
volatile uint32_t F_CPU_ACTUAL = 600000000;
volatile uint32_t ARM_DWT_CYCCNT;
uint32_t millis(void) { return data[0]; }
void delay(uint32_t) {}
void pinMode(uint8_t, uint8_t) {}
void digitalWrite(uint8_t, uint8_t value) { data[1] = value; }
uint8_t digitalRead(uint8_t pin) { return data[pin]; }
}

static audio_block_t block;
static AudioStream *streams[8];
static int known;

usb_serial_class Serial;
void usb_serial_class::begin(long) {}
int usb_serial_class::printf(const char *, ...) { return 0; }
AudioStream::AudioStream(unsigned char, audio_block_t **) { streams[known++] = this; }
void AudioStream::initialize_memory(audio_block_t *, unsigned int) {}
audio_block_t *AudioStream::allocate(void) { return &block; }
void AudioStream::release(audio_block_t *) {}
void AudioStream::transmit(audio_block_t *, unsigned char) {}
audio_block_t *AudioStream::receiveWritable(unsigned int) { return nullptr; }
AudioConnection::AudioConnection(AudioStream &, unsigned char, AudioStream &, unsigned char) {}
void AudioInputI2S::update(void) {}
void AudioOutputI2S::update(void) {}
bool AudioControlSGTL5000::enable() { return true; }
bool AudioControlSGTL5000::inputSelect(int) { return true; }
bool AudioControlSGTL5000::volume(float) { return true; }

int main()
{
    setup();
    for (;;) {
        for (int n = 0; n < known; ++n) {
            streams[n]->update();
        }
        loop();
    }
}
