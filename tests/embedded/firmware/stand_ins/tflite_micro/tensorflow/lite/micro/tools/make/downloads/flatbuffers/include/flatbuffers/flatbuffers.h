/* Found only with the folder of FlatBuffers among those of the headers. */
#pragma once
