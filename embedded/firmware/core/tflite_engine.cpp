#include "tflite_engine.h"

#include <cmath>
#include <cstring>
#include <new>

#include "pedal_operators.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace pedalframe {

using namespace tflite_model;

namespace {

alignas(16) std::uint8_t arena[ARENA_BYTES];
/* Made in place, so that no destructor is registered and nothing is made before main(). */
alignas(tflite::MicroInterpreter) unsigned char storage[sizeof(tflite::MicroInterpreter)];
alignas(Resolver) unsigned char resolver_storage[sizeof(Resolver)];

/* The nearest integer, halves away from zero, that the type holds. */
template <typename Integer>
Integer quantized(float value, const TfLiteTensor &tensor, double lowest, double highest)
{
    double steps = std::round(static_cast<double>(value) / static_cast<double>(tensor.params.scale));
    steps += tensor.params.zero_point;
    steps = steps > lowest ? steps : lowest; /* NaN becomes the lowest, too */
    return static_cast<Integer>(steps < highest ? steps : highest);
}

/* Write a number as the tensor holds it. */
void encode(const TfLiteTensor &tensor, float value, std::uint8_t *to)
{
    if (tensor.type == kTfLiteFloat32) {
        std::memcpy(to, &value, sizeof value);
    } else if (tensor.type == kTfLiteInt16) {
        const auto steps = quantized<std::int16_t>(value, tensor, -32768, 32767);
        std::memcpy(to, &steps, sizeof steps);
    } else {
        const auto steps = quantized<std::int8_t>(value, tensor, -128, 127);
        std::memcpy(to, &steps, sizeof steps);
    }
}

float get(const TfLiteTensor &tensor, std::size_t at)
{
    if (tensor.type == kTfLiteFloat32) {
        return tensor.data.f[at];
    }
    const int steps = tensor.type == kTfLiteInt16 ? tensor.data.i16[at] : tensor.data.int8[at];
    return tensor.params.scale * static_cast<float>(steps - tensor.params.zero_point);
}

std::size_t width(const TfLiteTensor &tensor)
{
    return tensor.type == kTfLiteFloat32 ? 4 : tensor.type == kTfLiteInt16 ? 2 : 1;
}

} // namespace

bool TfliteEngine::begin()
{
    tflite::InitializeTarget();
    const tflite::Model *model = tflite::GetModel(DATA);
    if (model->version() != TFLITE_SCHEMA_VERSION) {
        return false;
    }
    Resolver *resolver = new (resolver_storage) Resolver();
    if (!add_operators(*resolver)) {
        return false;
    }
    interpreter_ = new (storage) tflite::MicroInterpreter(model, *resolver, arena, sizeof arena);
    if (interpreter_->AllocateTensors() != kTfLiteOk || !fits()) {
        interpreter_ = nullptr;
        return false;
    }
    reset();
    return true;
}

/* Whether the model's arguments are those that this code was generated for. */
bool TfliteEngine::fits() const
{
    const TfLiteTensor *dry = interpreter_->input(0), *wet = interpreter_->output(0);
    if (interpreter_->inputs_size() != STATES + 1 || interpreter_->outputs_size() != STATES + 1
        || dry->bytes != width(*dry) * BLOCK * FRAME || wet->bytes != width(*wet) * BLOCK) {
        return false;
    }
    std::size_t bytes = 0;
    for (std::size_t n = 1; n <= STATES; ++n) {
        const TfLiteTensor *before = interpreter_->input(n), *after = interpreter_->output(n);
        if (before->bytes != after->bytes || before->params.scale != after->params.scale
            || before->params.zero_point != after->params.zero_point) {
            return false;
        }
        bytes += before->bytes;
    }
    return bytes == STATE_BYTES;
}

void TfliteEngine::reset()
{
    failed_ = interpreter_ == nullptr;
    if (failed_) {
        return;
    }
    const TfLiteTensor &dry = *interpreter_->input(0);
    for (std::size_t at = 0; at < FRAME - 1; ++at) {
        encode(dry, 0.0f, history_ + at * width(dry));
    }
    std::uint8_t *state = states_;
    for (std::size_t n = 1; n <= STATES; ++n) {
        const TfLiteTensor &before = *interpreter_->input(n);
        for (const std::uint8_t *end = state + before.bytes; state < end; state += width(before)) {
            encode(before, 0.0f, state);
        }
    }
}

void TfliteEngine::process(const float *dry, float *wet, std::size_t samples)
{
    for (; samples >= BLOCK; samples -= BLOCK, dry += BLOCK, wet += BLOCK) {
        if (failed_) {
            std::memset(wet, 0, BLOCK * sizeof *wet);
            continue;
        }
        write_dry(dry);
        carry_in();
        failed_ = interpreter_->Invoke() != kTfLiteOk;
        read_wet(wet);
        carry_out();
    }
}

void TfliteEngine::write_dry(const float *dry)
{
    const TfLiteTensor &input = *interpreter_->input(0);
    const std::size_t size = width(input);
    for (std::size_t n = 0; n < BLOCK; ++n) {
        encode(input, dry[n], history_ + (FRAME - 1 + n) * size);
    }
    for (std::size_t n = 0; n < BLOCK; ++n) {
        std::memcpy(input.data.uint8 + n * FRAME * size, history_ + n * size, FRAME * size);
    }
    std::memmove(history_, history_ + BLOCK * size, (FRAME - 1) * size);
}

void TfliteEngine::read_wet(float *wet) const
{
    const TfLiteTensor &output = *interpreter_->output(0);
    for (std::size_t n = 0; n < BLOCK; ++n) {
        wet[n] = get(output, n);
    }
}

void TfliteEngine::carry_in()
{
    const std::uint8_t *state = states_;
    for (std::size_t n = 1; n <= STATES; ++n) {
        TfLiteTensor *before = interpreter_->input(n);
        std::memcpy(before->data.raw, state, before->bytes);
        state += before->bytes;
    }
}

void TfliteEngine::carry_out()
{
    std::uint8_t *state = states_;
    for (std::size_t n = 1; n <= STATES; ++n) {
        const TfLiteTensor *after = interpreter_->output(n);
        std::memcpy(state, after->data.raw, after->bytes);
        state += after->bytes;
    }
}

} // namespace pedalframe
