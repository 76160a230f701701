/* Stands in for TFLite Micro's header: the operators that firmware of this project adds. */
#pragma once

#include "fixedpoint/fixedpoint.h"
#include "tensorflow/lite/c_api_types.h"

namespace tflite {

class MicroOpResolver {
protected:
    TfLiteStatus Add(int kernel, unsigned most);
    unsigned count_ = 0;
};

template <unsigned COUNT>
class MicroMutableOpResolver : public MicroOpResolver {
public:
    TfLiteStatus AddAdd() { return Add(0, COUNT); }
    TfLiteStatus AddConcatenation() { return Add(1, COUNT); }
    TfLiteStatus AddConv2D() { return Add(2, COUNT); }
    TfLiteStatus AddFullyConnected() { return Add(3, COUNT); }
    TfLiteStatus AddLogistic() { return Add(4, COUNT); }
    TfLiteStatus AddMul() { return Add(5, COUNT); }
    TfLiteStatus AddReshape() { return Add(6, COUNT); }
    TfLiteStatus AddSlice() { return Add(7, COUNT); }
    TfLiteStatus AddSplit() { return Add(8, COUNT); }
    TfLiteStatus AddSub() { return Add(9, COUNT); }
    TfLiteStatus AddTanh() { return Add(10, COUNT); }
};

} // namespace tflite
