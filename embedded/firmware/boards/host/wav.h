/* WAV files: PCM of 16 or 24 bits and float of 32 bits in, mono float out. */
#ifndef PEDALFRAME_WAV_H
#define PEDALFRAME_WAV_H

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

namespace pedalframe {

struct Wav {
    unsigned sample_rate_hz = 0;
    std::vector<float> samples;

    /* The first channel of a file; returns what is wrong with it, or null. */
    const char *read(const char *path)
    {
        std::vector<unsigned char> bytes;
        if (!load(path, bytes)) {
            return "the file cannot be read";
        }
        if (bytes.size() < 12 || std::memcmp(&bytes[0], "RIFF", 4) != 0
            || std::memcmp(&bytes[8], "WAVE", 4) != 0) {
            return "the file is no WAV file";
        }
        unsigned kind = 0, channels = 0, width = 0;
        for (std::size_t at = 12; at + 8 <= bytes.size();) {
            const std::size_t size = word(&bytes[at + 4], 4), left = bytes.size() - at - 8;
            const std::size_t here = size < left ? size : left;
            const unsigned char *chunk = bytes.data() + at + 8;
            if (std::memcmp(&bytes[at], "fmt ", 4) == 0 && here >= 16) {
                kind = word(chunk, 2);
                channels = word(chunk + 2, 2);
                sample_rate_hz = word(chunk + 4, 4);
                width = word(chunk + 14, 2) / 8;
                if (kind == 0xFFFE && here >= 26) { /* extensible: the kind comes later */
                    kind = word(chunk + 24, 2);
                }
            } else if (std::memcmp(&bytes[at], "data", 4) == 0) {
                const bool is_known = (kind == 1 && (width == 2 || width == 3)) || (kind == 3 && width == 4);
                if (!is_known || channels == 0) {
                    return "the file is neither 16-bit, 24-bit nor float WAV";
                }
                const std::size_t step = std::size_t{ width } * channels;
                for (std::size_t n = 0; n + step <= here; n += step) {
                    samples.push_back(sample(chunk + n, width));
                }
                return samples.empty() ? "the file holds no samples" : nullptr;
            }
            at += 8 + size + size % 2;
        }
        return "the file holds no samples";
    }

    /* Write mono float; returns what went wrong, or null. */
    const char *write(const char *path) const
    {
        const auto size = static_cast<std::uint32_t>(4 * samples.size());
        unsigned char header[44] = { 'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'A', 'V', 'E', 'f', 'm', 't', ' ' };
        put(header + 4, 36 + size, 4);
        put(header + 16, 16, 4);
        put(header + 20, 3, 2); /* float */
        put(header + 22, 1, 2);
        put(header + 24, sample_rate_hz, 4);
        put(header + 28, 4 * sample_rate_hz, 4);
        put(header + 32, 4, 2);
        put(header + 34, 32, 2);
        std::memcpy(header + 36, "data", 4);
        put(header + 40, size, 4);
        const File file(std::fopen(path, "wb"), &std::fclose);
        const bool is_written = file && std::fwrite(header, sizeof header, 1, file.get()) == 1
            && std::fwrite(samples.data(), 4, samples.size(), file.get()) == samples.size()
            && std::fflush(file.get()) == 0;
        return is_written ? nullptr : "the file cannot be written";
    }

private:
    using File = std::unique_ptr<std::FILE, int (*)(std::FILE *)>;

    static bool load(const char *path, std::vector<unsigned char> &bytes)
    {
        const File file(std::fopen(path, "rb"), &std::fclose);
        unsigned char part[4096];
        std::size_t got;
        while (file && (got = std::fread(part, 1, sizeof part, file.get())) > 0) {
            bytes.insert(bytes.end(), part, part + got);
        }
        return file && std::ferror(file.get()) == 0;
    }

    static std::uint32_t word(const unsigned char *at, int bytes)
    {
        std::uint32_t value = 0;
        for (int n = 0; n < bytes; ++n) {
            value |= static_cast<std::uint32_t>(at[n]) << (8 * n);
        }
        return value;
    }

    static void put(unsigned char *at, std::uint32_t value, int bytes)
    {
        for (int n = 0; n < bytes; ++n) {
            at[n] = static_cast<unsigned char>(value >> (8 * n));
        }
    }

    static float sample(const unsigned char *at, unsigned width)
    {
        if (width == 4) {
            const std::uint32_t bits = word(at, 4);
            float value;
            std::memcpy(&value, &bits, sizeof value);
            return value;
        }
        const std::uint32_t bits = word(at, static_cast<int>(width)) << (32 - 8 * width);
        return static_cast<float>(static_cast<std::int32_t>(bits)) / 2147483648.0f;
    }
};

} // namespace pedalframe

#endif
