/* Stands in for the Audio library's header. */
#pragma once

#include <AudioStream.h>

class AudioInputI2S : public AudioStream {
public:
    AudioInputI2S() : AudioStream(0, nullptr) {}
    void update(void) override;
};
