/* Stands in for TFLite Micro's header. */
#pragma once

namespace tflite {
void InitializeTarget();
}
