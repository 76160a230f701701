/* Stands in for the Audio library's header. */
#pragma once

#include <AudioStream.h>

class AudioOutputI2S : public AudioStream {
public:
    AudioOutputI2S() : AudioStream(2, queue_) {}
    void update(void) override;

private:
    audio_block_t *queue_[2];
};
