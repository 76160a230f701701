/* Stands in for the Teensy core's header: what this project's firmware asks of it. */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HIGH 1
#define LOW 0
#define OUTPUT 1
#define INPUT_PULLUP 2
#define LED_BUILTIN 13

extern "C" {
extern volatile uint32_t F_CPU_ACTUAL;
extern volatile uint32_t ARM_DWT_CYCCNT;
uint32_t millis(void);
void delay(uint32_t milliseconds);
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t value);
uint8_t digitalRead(uint8_t pin);
}

struct usb_serial_class {
    void begin(long baud);
    int printf(const char *format, ...);
};
extern usb_serial_class Serial;

void setup();
void loop();
