/* The pedal on a PC: reads a WAV file and writes what the pedal makes of it.
 *
 *     pedal dry.wav wet.wav [--block 64] [--input-gain 1] [--output-gain 1] [--bypass]
 *     pedal --golden
 *
 * --golden replays the vectors of golden.h through the bare model and exits with 1 if they
 * differ by more than they may. Reads 16-bit, 24-bit and float WAV, mono or the first of
 * several channels; writes mono float. */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "pedal.h"
#include "pedal_board.h"
#include "selftest.h"
#include "wav.h"

using namespace pedalframe;

namespace {

int fail(const char *what)
{
    std::fprintf(stderr, "pedal: %s\n", what);
    return 2;
}

int replay_golden()
{
    Engine &model = bare_model();
    if (!model.begin()) {
        return fail("the model cannot be prepared");
    }
    const double largest = static_cast<double>(largest_golden_error(model));
    std::printf("golden vectors: largest error %.3g, allowed %.3g\n", largest,
                static_cast<double>(golden::TOLERANCE));
    return largest <= static_cast<double>(golden::TOLERANCE) ? 0 : 1;
}

} // namespace

int main(int count, char **words)
{
    const char *paths[2] = {};
    int given = 0;
    std::size_t block = BOARD_BLOCK;
    float input_gain = 1.0f, output_gain = 1.0f;
    bool bypass = false;
    for (int n = 1; n < count; ++n) {
        const bool has_value = n + 1 < count;
        if (std::strcmp(words[n], "--golden") == 0) {
            return replay_golden();
        } else if (std::strcmp(words[n], "--bypass") == 0) {
            bypass = true;
        } else if (std::strcmp(words[n], "--block") == 0 && has_value) {
            block = static_cast<std::size_t>(std::strtoul(words[++n], nullptr, 10));
        } else if (std::strcmp(words[n], "--input-gain") == 0 && has_value) {
            input_gain = std::strtof(words[++n], nullptr);
        } else if (std::strcmp(words[n], "--output-gain") == 0 && has_value) {
            output_gain = std::strtof(words[++n], nullptr);
        } else if (words[n][0] != '-' && given < 2) {
            paths[given++] = words[n];
        } else {
            return fail("usage: pedal dry.wav wet.wav [--block N] [--input-gain G] "
                        "[--output-gain G] [--bypass], or pedal --golden");
        }
    }
    if (given != 2) {
        return fail("two files are needed, dry.wav and wet.wav");
    }
    Wav wav;
    if (const char *problem = wav.read(paths[0])) {
        return fail(problem);
    }
    if (wav.sample_rate_hz != BOARD_RATE_HZ) {
        std::fprintf(stderr, "pedal: the file has %u Hz, the pedal runs at %u Hz: convert it first\n",
                     wav.sample_rate_hz, BOARD_RATE_HZ);
        return 2;
    }
    static Pedal pedal(board_engine(), static_cast<float>(BOARD_RATE_HZ));
    pedal.set_input_gain(input_gain);
    pedal.set_output_gain(output_gain);
    pedal.set_bypass(bypass);
    if (block == 0 || !pedal.begin(block)) {
        return fail("the model cannot be prepared, or does not take blocks of this length");
    }
    const std::size_t samples = wav.samples.size();
    wav.samples.resize((samples + block - 1) / block * block);
    const double allowed_us = 1e6 * static_cast<double>(block) / BOARD_RATE_HZ;
    const auto begun = std::chrono::steady_clock::now();
    for (std::size_t n = 0; n < wav.samples.size(); n += block) {
        const auto started = std::chrono::steady_clock::now();
        pedal.process(&wav.samples[n], &wav.samples[n], block);
        const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - started;
        pedal.took(static_cast<std::uint32_t>(took.count()), static_cast<std::uint32_t>(allowed_us) + 1);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    wav.samples.resize(samples);
    if (const char *problem = wav.write(paths[1])) {
        return fail(problem);
    }
    const double seconds = static_cast<double>(samples) / BOARD_RATE_HZ;
    std::printf("%.2f s of audio in %.3f s; delay %zu samples; clipped %u samples; "
                "overloads %u\n",
                seconds, took.count(), board_engine().delay(), static_cast<unsigned>(pedal.clipped()),
                static_cast<unsigned>(pedal.overloads()));
    return 0;
}
