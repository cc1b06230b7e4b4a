/* All payloads. */
#include "payload.h"

extern const struct payload counters_payload;

const struct payload *const payloads[] = {&counters_payload, NULL};
