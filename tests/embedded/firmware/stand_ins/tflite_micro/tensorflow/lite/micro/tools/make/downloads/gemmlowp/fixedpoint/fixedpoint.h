/* Found only with the folder of gemmlowp among those of the headers. */
#pragma once
