/* Stands in for the Audio library's header. */
#pragma once

#define AUDIO_INPUT_LINEIN 0

class AudioControlSGTL5000 {
public:
    bool enable();
    bool inputSelect(int n);
    bool volume(float n);
};
