/* Stands in for TFLite Micro's interpreter. */
#pragma once

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace tflite {

class MicroInterpreter {
public:
    MicroInterpreter(const Model *model, const MicroOpResolver &operators, std::uint8_t *arena,
                     std::size_t arena_bytes);
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteTensor *input(std::size_t index);
    TfLiteTensor *output(std::size_t index);
    std::size_t inputs_size() const;
    std::size_t outputs_size() const;
    std::size_t arena_used_bytes() const;

private:
    std::uint8_t *arena_;
};

} // namespace tflite
