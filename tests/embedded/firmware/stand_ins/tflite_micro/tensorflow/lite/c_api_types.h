/* Stands in for TFLite Micro's structs, which TF_LITE_STATIC_MEMORY changes: code that was
 * compiled without it would read other fields than the library writes. */
#pragma once

#include <cstddef>
#include <cstdint>

#ifndef TF_LITE_STATIC_MEMORY
#error "TF_LITE_STATIC_MEMORY is to be defined wherever TFLite Micro is included"
#endif

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
enum TfLiteType { kTfLiteNoType = 0, kTfLiteFloat32 = 1, kTfLiteInt16 = 7, kTfLiteInt8 = 9 };

struct TfLiteQuantizationParams {
    float scale;
    std::int32_t zero_point;
};

union TfLitePtrUnion {
    float *f;
    char *raw;
    std::uint8_t *uint8;
    std::int8_t *int8;
    std::int16_t *i16;
};

struct TfLiteTensor {
    TfLiteType type;
    TfLitePtrUnion data;
    TfLiteQuantizationParams params;
    std::size_t bytes;
};
