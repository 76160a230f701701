/* Stands in for the reader of a TFLite file. */
#pragma once

#include "flatbuffers/flatbuffers.h"
#include "tensorflow/lite/c_api_types.h"

#define TFLITE_SCHEMA_VERSION (3)

namespace tflite {

struct Model {
    std::uint32_t version() const;
};

const Model *GetModel(const void *file);

} // namespace tflite
