/*
 * Interrupts: IPIs between CPUs that run and between CPUs that sleep in HLT, to one, to all others and to
 * oneself, NMIs, through the APIC's page and through x2APIC MSRs; and the APIC's timer in all its modes.
 * None may be lost, none may come twice, none before what was written before it was sent.
 */
#include "payload.h"

/* ---- IPIs */

#define EXCHANGES_AT_100 300
#define BROADCASTS_AT_100 50
#define SELF_IPIS_AT_100 300
#define NMIS_AT_100 100

static u64 ipis_sent[MAX_CPUS], nmis_sent[MAX_CPUS];

/* What the sender writes before the IPI, the receiver finds after it. */
static volatile u64 *note_of(u64 cpu) { return shared_page(cpu); }

static void send_note(struct cpu *me, const struct cpu *to, u64 note, u32 mode) {
  *note_of(me->index) = note;
  if (mode == ICR_NMI) {
    nmis_sent[me->index]++;
  } else {
    ipis_sent[me->index]++;
  }
  send_ipi(me, to->apic_id, ICR_ASSERT | mode);
}

static void check_note(const struct cpu *me, const struct cpu *from, u64 note) {
  u64 value = *note_of(from->index);
  if (value != note) {
    fail("CPU %u: CPU %u's interrupt %u is here but its note says %u", me->index, from->index, note, value);
  }
}

/* Until the counter, which only this CPU's handlers count, is value; more is an error. */
static void await_interrupts(const struct cpu *me, const volatile u64 *counter, u64 value, int halt) {
  struct patience p;
  begin_waiting(&p);
  for (u64 now = *counter; now != value; now = *counter) {
    if (now > value) {
      fail("CPU %u: %u interrupts where %u were sent", me->index, now, value);
    }
    if (halt) {
      kernel_call(halt_if_equal, (u64)counter, now);
      look_at_clock(&p, me, "an interrupt in HLT");
    } else {
      keep_waiting(&p, me, "an interrupt");
    }
  }
}

/* Two CPUs answer each other's interrupts; all CPUs have to call it. */
static void exchange_interrupts(struct cpu *me, u64 rounds, u32 mode, int halt) {
  const volatile u64 *counter = mode == ICR_NMI ? &me->nmis : &me->ipis;
  u64 before = *counter;
  int partner = partner_of(me);
  barrier(me); /* nobody interrupts before all have read their counters */
  if (partner < 0) {
    return;
  }
  const struct cpu *other = &cpus[partner];
  int first = me->index < other->index;
  for (u64 i = 1; i <= rounds; i++) {
    if (first) {
      send_note(me, other, i, mode);
    }
    await_interrupts(me, counter, before + i, halt);
    check_note(me, other, i);
    if (!first) {
      send_note(me, other, i, mode);
    }
  }
}

/* One CPU after the other interrupts all others. */
static void broadcast_interrupts(struct cpu *me, u64 rounds) {
  for (u64 i = 0; i < rounds; i++) {
    u64 before = me->ipis;
    barrier(me);
    if (me->index == i % cpu_count) {
      *note_of(me->index) = ~i;
      ipis_sent[me->index] += cpu_count - 1;
      send_ipi(me, 0, ICR_TO_OTHERS | ICR_ASSERT | ICR_FIXED | VECTOR_IPI);
    } else {
      await_interrupts(me, &me->ipis, before + 1, 0);
      check_note(me, &cpus[i % cpu_count], ~i);
    }
    barrier(me);
  }
}

static void interrupt_oneself(struct cpu *me, u64 rounds) {
  for (u64 i = 0; i < rounds; i++) {
    u64 before = me->ipis;
    ipis_sent[me->index]++;
    send_ipi(me, 0, ICR_TO_SELF | ICR_ASSERT | ICR_FIXED | VECTOR_IPI);
    await_interrupts(me, &me->ipis, before + 1, 0);
  }
}

static void all_kinds(struct cpu *me) {
  exchange_interrupts(me, scaled(EXCHANGES_AT_100), ICR_FIXED | VECTOR_IPI, 0);
  barrier(me);
  broadcast_interrupts(me, scaled(BROADCASTS_AT_100));
  interrupt_oneself(me, scaled(SELF_IPIS_AT_100));
  exchange_interrupts(me, scaled(NMIS_AT_100), ICR_NMI, 0);
}

static void ipi_work(struct cpu *me) {
  all_kinds(me);
  barrier(me);
  if (has_feature(FEATURE_X2APIC)) {
    enter_x2apic(me);
    all_kinds(me);
  }
}

static void ipi_report(void) {
  u64 sent = 0, received = 0, nmis = 0, nmis_received = 0, spurious = 0;
  for (u32 i = 0; i < cpu_count; i++) {
    sent += ipis_sent[i];
    received += cpus[i].ipis;
    nmis += nmis_sent[i];
    nmis_received += cpus[i].nmis;
    spurious += cpus[i].spurious;
  }
  if (sent != received || nmis != nmis_received || spurious) {
    fail("%u IPIs and %u NMIs sent, %u and %u received, %u spurious", sent, nmis, received, nmis_received,
         spurious);
  }
  count("ipis", received);
  count("nmis", nmis_received);
  print_checksum("interrupts", checksum(received, &nmis_received, 1));
}

const struct payload ipi_payload = {"ipi", ipi_work, ipi_report};

/* ---- HLT: an interrupt that comes between the last look and HLT must wake as well */

#define HALTED_EXCHANGES_AT_100 1000

void set_alarm(const struct cpu *me) {
  u64 ticks = measure_apic_timer(me) * (limit_seconds + 1);
  apic_write(me, APIC_LVT_TIMER, TIMER_PERIODIC | VECTOR_TIMER);
  apic_write(me, APIC_TIMER_INITIAL, ticks > 0xffffffff ? 0xffffffff : (u32)ticks);
}

void clear_alarm(const struct cpu *me) { apic_write(me, APIC_TIMER_INITIAL, 0); }

static void halt_work(struct cpu *me) {
  set_alarm(me);
  exchange_interrupts(me, scaled(HALTED_EXCHANGES_AT_100), ICR_FIXED | VECTOR_IPI, 1);
  clear_alarm(me);
}

const struct payload halt_payload = {"halt", halt_work, ipi_report};

/* ---- timer */

#define TICKS_AT_100 200
#define TICKS_PER_SECOND 1000

static u64 ticks_seen[MAX_CPUS];

/* Measured frequencies are a little off: so much later than a tenth early is not early. */
static int too_early(u64 elapsed_tsc, u64 ticks) {
  return elapsed_tsc < ticks * tsc_hz / TICKS_PER_SECOND * 9 / 10;
}

static void one_shot(struct cpu *me, u64 timer_hz) {
  apic_write(me, APIC_LVT_TIMER, TIMER_ONE_SHOT | VECTOR_TIMER);
  for (u64 i = scaled(TICKS_AT_100); i; i--) {
    u64 before = me->ticks, start = read_tsc();
    apic_write(me, APIC_TIMER_INITIAL, (u32)(timer_hz / TICKS_PER_SECOND));
    await_interrupts(me, &me->ticks, before + 1, (int)(i & 1));
    if (too_early(read_tsc() - start, 1)) {
      fail("CPU %u: a one-shot timer of 1 ms came after %u TSC ticks", me->index, read_tsc() - start);
    }
  }
}

static void periodic(struct cpu *me, u64 timer_hz) {
  u64 wanted = scaled(TICKS_AT_100), before = me->ticks, start = read_tsc();
  struct patience p;
  begin_waiting(&p);
  apic_write(me, APIC_LVT_TIMER, TIMER_PERIODIC | VECTOR_TIMER);
  apic_write(me, APIC_TIMER_INITIAL, (u32)(timer_hz / TICKS_PER_SECOND));
  while (me->ticks - before < wanted) {
    keep_waiting(&p, me, "a periodic timer");
  }
  u64 elapsed = read_tsc() - start, seen = me->ticks - before;
  apic_write(me, APIC_TIMER_INITIAL, 0);
  if (too_early(elapsed, wanted)) {
    fail("CPU %u: %u ticks of 1 ms within %u TSC ticks", me->index, seen, elapsed);
  }
}

static void tsc_deadline(struct cpu *me) {
  apic_write(me, APIC_LVT_TIMER, TIMER_TSC_DEADLINE | VECTOR_TIMER);
  /* The mode has to be set before the MSR counts (SDM vol. 3, 12.5.4.1). */
  __asm__ volatile("mfence" ::: "memory");
  for (u64 i = scaled(TICKS_AT_100); i; i--) {
    u64 before = me->ticks, deadline = read_tsc() + tsc_hz / TICKS_PER_SECOND;
    kernel_call(write_msr, TSC_DEADLINE_MSR, deadline);
    await_interrupts(me, &me->ticks, before + 1, (int)(i & 1));
    u64 now = read_tsc();
    if (now < deadline) {
      fail("CPU %u: the TSC deadline timer came at %u, not %u", me->index, now, deadline);
    }
  }
}

/* Whether the timer is quiet when it should be: a one-shot comes once. */
static void silence(struct cpu *me) {
  u64 before = me->ticks, start = read_tsc();
  while (read_tsc() - start < 5 * tsc_hz / TICKS_PER_SECOND) {
    pause();
  }
  if (me->ticks != before) {
    fail("CPU %u: %u ticks of a timer that is off", me->index, me->ticks - before);
  }
}

static void timer_work(struct cpu *me) {
  u64 timer_hz = measure_apic_timer(me);
  one_shot(me, timer_hz);
  silence(me);
  periodic(me, timer_hz);
  silence(me);
  if (has_feature(FEATURE_TSC_DEADLINE)) {
    tsc_deadline(me);
    silence(me);
  }
  ticks_seen[me->index] = me->ticks;
}

static void timer_report(void) {
  u64 sum = 0;
  for (u32 i = 0; i < cpu_count; i++) {
    sum += ticks_seen[i];
  }
  count("ticks", sum);
}

const struct payload timer_payload = {"timer", timer_work, timer_report};
