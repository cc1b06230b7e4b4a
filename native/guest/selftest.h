/*
 * Self-check of a machine from inside: what programs of the guest rely on, run on all CPUs at once.
 *
 * A check is a function that returns NULL when all is right and the reason when not. It runs in a
 * process of its own with a time limit, so that a hang or a crash is a failure of that check only.
 */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <stdint.h>

#define MAX_CPUS 64
#define PAGE 4096

/* Writes a reason; the text stays valid until the process ends. */
const char *failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* CPUs this process may run on, found before anything was pinned. */
extern int cpu_count;
extern int cpus[MAX_CPUS];

/* Pins the calling thread; ends the process when that can't be. */
void pin(int cpu);

/* Zeroed pages, shared with children; ends the process when there is no memory. */
void *shared_pages(int count);

/*
 * Runs work(index, argument) in a thread on each CPU, all starting together.
 * Returns NULL or the first reason that a thread gave.
 */
typedef const char *(*work)(int index, void *argument);
const char *on_all_cpus(work function, void *argument);

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t now_nanos(void);

/* A pseudo-random sequence (splitmix64): the same numbers on every machine. */
uint64_t mix(uint64_t x);

/* The checks; scale multiplies how long they go on, 1 being a second or so each. */
const char *check_locked_counters(int scale);
const char *check_mutex_counter(int scale);
const char *check_false_sharing(int scale);
const char *check_spinlock_pages(int scale);
const char *check_crossing_lock(int scale);
const char *check_message_passing(int scale);
const char *check_store_buffer(int scale);
const char *check_ring(int scale);
const char *check_memory_pattern(int scale);
const char *check_protection(int scale);
const char *check_modified_code(int scale);
const char *check_fork_exec(int scale);
const char *check_pipe_ping_pong(int scale);
const char *check_migration(int scale);
const char *check_signals(int scale);
const char *check_floating_point(int scale);
const char *check_clocks(int scale);

/* What check_fork_exec starts: exits with the number given. */
int fork_exec_child(const char *number);

#endif
