/* All payloads. The suite knows their names, too: org.pluribus.vmm.cli.selftest.Payload. */
#include "payload.h"

extern const struct payload counters_payload, locks_payload, pingpong_payload, pattern_payload, fill_payload,
    oracle_payload, storm_payload, ipi_payload, halt_payload, timer_payload, litmus_payload, compute_payload, faults_payload,
    sharing_payload, contention_payload;

const struct payload *const payloads[] = {
    &counters_payload, &locks_payload,   &pingpong_payload, &pattern_payload, &fill_payload,   &oracle_payload,
    &storm_payload,    &ipi_payload,     &halt_payload,     &timer_payload,   &litmus_payload, &compute_payload,
    &faults_payload,   &sharing_payload, &contention_payload, NULL,
};
