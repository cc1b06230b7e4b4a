/*
 * Instructions of many kinds on all registers, on each CPU for itself. What comes out isn't checked here
 * but printed, register by register: it has to be the same whatever runs the machine.
 */
#include "payload.h"

#define ROUNDS_AT_100 20000

/* What compute.S works on. */
struct state {
  u64 general[16];
  u64 flags;
  u64 xmm[8][2];
};
_Static_assert(offsetof(struct state, xmm) == 136, "compute.S counts on it");

void compute(struct state *state, volatile u64 *memory, u64 rounds);

static struct state states[MAX_CPUS] __attribute__((aligned(PAGE)));

static const char *const register_names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                               "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

static void work(struct cpu *me) {
  struct state *s = &states[me->index];
  volatile u64 *memory = shared_page(me->index);
  for (u64 i = 0; i < 16; i++) {
    s->general[i] = next_random(me);
  }
  /* Doubles are small whole numbers at first. */
  for (u64 i = 0; i < 8; i++) {
    s->xmm[i][0] = s->xmm[i][1] = 0x4000000000000000;
  }
  for (u64 i = 0; i < WORDS_PER_PAGE; i++) {
    memory[i] = next_random(me);
  }
  compute(s, memory, scaled(ROUNDS_AT_100));
}

static void report(void) {
  count("rounds", scaled(ROUNDS_AT_100) * cpu_count);
  for (u64 r = 0; r < 16; r++) {
    u64 sum = 0;
    for (u32 i = 0; i < cpu_count; i++) {
      sum = checksum(sum, &states[i].general[r], 1);
    }
    if (register_names[r][1] != 's' || register_names[r][2] != 'p') {
      print_checksum(register_names[r], sum);
    }
  }
  u64 flags = 0, xmm = 0, memory = 0;
  for (u32 i = 0; i < cpu_count; i++) {
    flags = checksum(flags, &states[i].flags, 1);
    xmm = checksum(xmm, states[i].xmm[0], 16);
    memory = checksum(memory, shared_page(i), WORDS_PER_PAGE);
  }
  print_checksum("flags", flags);
  print_checksum("xmm", xmm);
  print_checksum("memory", memory);
}

const struct payload compute_payload = {"compute", work, report};
