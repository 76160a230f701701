/* What a board needs to know of the firmware's model. pedal_config.h is generated. */
#ifndef PEDALFRAME_PEDAL_BOARD_H
#define PEDALFRAME_PEDAL_BOARD_H

#include "engine.h"
#include "pedal_config.h"

namespace pedalframe {

constexpr unsigned BOARD_RATE_HZ = PEDAL_BOARD_RATE_HZ;
constexpr std::size_t BOARD_BLOCK = PEDAL_BLOCK;

/* The model at its own rate. */
Engine &bare_model();

/* The model at the board's rate. */
Engine &board_engine();

} // namespace pedalframe

#endif
