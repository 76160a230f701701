/* Stands in for the header of the Teensy core: blocks of audio, handed from object to object. */
#pragma once

#include <Arduino.h>

#define AUDIO_BLOCK_SAMPLES 128
#define AUDIO_SAMPLE_RATE_EXACT 44100.0f

struct audio_block_t {
    uint8_t ref_count, reserved1;
    uint16_t memory_pool_index;
    int16_t data[AUDIO_BLOCK_SAMPLES];
};

class AudioStream {
public:
    AudioStream(unsigned char inputs, audio_block_t **queue);
    virtual void update(void) = 0;
    static void initialize_memory(audio_block_t *data, unsigned int blocks);

protected:
    static audio_block_t *allocate(void);
    static void release(audio_block_t *block);
    void transmit(audio_block_t *block, unsigned char index = 0);
    audio_block_t *receiveWritable(unsigned int index = 0);
};

class AudioConnection {
public:
    AudioConnection(AudioStream &source, unsigned char output, AudioStream &destination, unsigned char input);
};

#define AudioMemory(blocks) \
    do { \
        static audio_block_t pool[blocks]; \
        AudioStream::initialize_memory(pool, blocks); \
    } while (0)
