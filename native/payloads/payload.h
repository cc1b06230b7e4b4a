/*
 * What payloads are made of: programs that run on the bare machine, on all CPUs at once, and check
 * themselves. All of them run in CPL3.
 *
 * A payload's work function runs on every CPU; when all have returned, its report function runs on CPU 0
 * and prints what was counted. Whoever finds something wrong calls fail(), which ends the machine.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include "layout.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;

#define PAGE 4096
#define WORDS_PER_PAGE (PAGE / 8)
#define MAX_CPUS 64

/* A CPU's area; see layout.h. Interrupt handlers count in it. */
struct cpu {
  volatile u64 ipis;
  volatile u64 ticks;
  volatile u64 nmis;
  volatile u64 spurious;
  u64 unused[4];
  u64 exception_vector, exception_code, exception_rip, exception_cr2;
  u64 x2apic;     /* whether this CPU's APIC is in x2APIC mode */
  u64 index;      /* from 0, in the order of the MADT */
  u32 apic_id;
  u32 node;       /* proximity domain */
  volatile u64 started;
  u64 random;     /* state of this CPU's sequence */
  u8 rest[CPU_SIZE - 0x88];
};

extern struct cpu cpus[MAX_CPUS];
extern u32 cpu_count, node_count;
extern u64 scale_percent, seed, limit_seconds;

struct payload {
  const char *name;
  void (*work)(struct cpu *me);
  void (*report)(void);
};

/* What gcc may call by itself, too. */
void *memset(void *to, int value, size_t n);
void *memcpy(void *to, const void *from, size_t n);

/* ---- amounts, numbers */

/* An amount that is at_100 at scale 100; at least 1. */
u64 scaled(u64 at_100);

/* The next number of a CPU's sequence, which depends on seed and CPU only (splitmix64). */
u64 next_random(struct cpu *me);
u64 mix(u64 x);

/* Mixes words into a sum in which their order counts. */
u64 checksum(u64 sum, const volatile u64 *words, u64 count);

/* ---- memory that all CPUs share: zeroed pages behind the image, homes alternating over the nodes */

volatile u64 *shared_page(u64 i);

/* Pages that shared_page() knows. */
u64 shared_pages(void);

/* What the loader put into memory for the payload, behind what most payloads use of it; or NULL. */
extern const void *module_start;
extern u64 module_size;

/* ---- telling */

/* A line "count NAME=VALUE". CPU 0, in report functions. */
void count(const char *name, u64 value);

/* A line "checksum NAME=HEX": the same for the same seed, scale and CPUs, whatever runs the machine. */
void print_checksum(const char *name, u64 value);

/* A line of text; knows %s, %u (u64), %x (u64). Any CPU. */
void say(const char *format, ...);

/* Says why and ends the machine. Any CPU. */
void fail(const char *format, ...) __attribute__((noreturn));

/* ---- waiting; all of it is bounded, and ends in fail() */

/* Until all CPUs are here. */
void barrier(struct cpu *me);

struct patience {
  u64 until; /* TSC */
  u32 turns;
};

/* Starts waiting. */
void begin_waiting(struct patience *p);

/* A turn of a loop that waits for what: a PAUSE, and a look at the clock now and then. */
void keep_waiting(struct patience *p, const struct cpu *me, const char *what);

/* Ends the machine if it took too long. */
void look_at_clock(const struct patience *p, const struct cpu *me, const char *what);

/* Until the word is value. */
void wait_for(volatile u64 *word, u64 value, const struct cpu *me, const char *what);

/* ---- processor */

static inline u64 read_tsc(void) {
  u32 low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (u64)high << 32 | low;
}

static inline void cpuid(u32 leaf, u32 *a, u32 *b, u32 *c, u32 *d) {
  __asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(0));
}

static inline void pause(void) { __asm__ volatile("pause" ::: "memory"); }

static inline void compiler_fence(void) { __asm__ volatile("" ::: "memory"); }

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }

static inline void outl(u16 port, u32 value) { __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port)); }

static inline u8 inb(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline u32 inl(u16 port) {
  u32 value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

/* Locked and plain operations, each one instruction. */
static inline void locked_increment(volatile u64 *word) {
  __asm__ volatile("lock incq %0" : "+m"(*word)::"memory", "cc");
}

static inline u64 locked_add(volatile u64 *word, u64 value) {
  __asm__ volatile("lock xaddq %1, %0" : "+m"(*word), "+r"(value)::"memory", "cc");
  return value;
}

static inline u64 exchange(volatile u64 *word, u64 value) {
  __asm__ volatile("xchgq %1, %0" : "+m"(*word), "+r"(value)::"memory");
  return value;
}

/* Whether the word was expected and is value now. */
static inline int compare_exchange(volatile u64 *word, u64 expected, u64 value) {
  u8 equal;
  __asm__ volatile("lock cmpxchgq %3, %0; sete %1"
                   : "+m"(*word), "=q"(equal), "+a"(expected)
                   : "r"(value)
                   : "memory", "cc");
  return equal;
}

static inline void plain_increment(volatile u64 *word) {
  __asm__ volatile("incq %0" : "+m"(*word)::"memory", "cc");
}

/* ---- CPL0; see start.S */

u64 kernel_call(void (*routine)(void), u64 a, u64 b);

void load_tables(void);
void enable_interrupts(void);
void disable_interrupts(void);
void halt_if_equal(void);
void halt_for_ever(void);
void read_msr(void);
void write_msr(void);

/* ---- local APIC (apic.c) */

#define TSC_DEADLINE_MSR 0x6e0

/* Register offsets of the APIC's page (SDM vol. 3, table 12-1). */
#define APIC_ID 0x20
#define APIC_SPURIOUS 0xf0
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0

/* ICR: delivery modes, level, shorthands (SDM vol. 3, figure 12-12). */
#define ICR_FIXED 0x000
#define ICR_NMI 0x400
#define ICR_INIT 0x500
#define ICR_STARTUP 0x600
#define ICR_ASSERT 0x4000
#define ICR_TO_SELF 0x40000
#define ICR_TO_OTHERS 0xc0000

u32 apic_read(const struct cpu *me, u32 offset);
void apic_write(const struct cpu *me, u32 offset, u32 value);
void apic_enable(const struct cpu *me);

/* Sends an IPI to the CPU with this APIC id, or to whom a shorthand in low names. */
void send_ipi(const struct cpu *me, u32 apic_id, u32 low);

/* LVT timer modes (SDM vol. 3, figure 12-8). */
#define TIMER_ONE_SHOT 0x00000
#define TIMER_PERIODIC 0x20000
#define TIMER_TSC_DEADLINE 0x40000
#define TIMER_MASKED 0x10000
#define TIMER_DIVIDE_BY_1 0xb

/* Ticks of the APIC's timer per second, measured by the TSC. */
u64 measure_apic_timer(const struct cpu *me);

/* Should an interrupt get lost, CPUs in HLT would sleep for ever: the timer wakes this one to tell. */
void set_alarm(const struct cpu *me);
void clear_alarm(const struct cpu *me);

/* Puts this CPU's APIC into x2APIC mode. */
void enter_x2apic(struct cpu *me);

/* Whether CPUID knows a feature of leaf 1 ECX. */
int has_feature(u32 leaf1_ecx_bit);
#define FEATURE_X2APIC 21
#define FEATURE_TSC_DEADLINE 24

/* ---- tables of the firmware (acpi.c) */

/* Finds CPUs, nodes and the power management timer's port. */
void read_acpi(u64 rsdp);
extern u16 pm_timer_port;

/* TSC ticks per second, measured by the power management timer. */
extern u64 tsc_hz;

/* A CPU on another node where there is one, else another CPU, else -1: partner of half the CPUs. */
int partner_of(const struct cpu *me);

#endif
