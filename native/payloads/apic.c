/* The local APIC, by its page or, in x2APIC mode, by MSRs (SDM vol. 3, chapter 12). */
#include "payload.h"

#define APIC_BASE_MSR 0x1b
#define BASE_X2APIC (1 << 10)
#define X2APIC_MSRS 0x800
#define X2APIC_ICR_MSR 0x830
#define ICR_BUSY (1 << 12)
#define APIC_SOFTWARE_ENABLED 0x100
#define XAPIC_DESTINATION_SHIFT 24

static volatile u32 *reg(u32 offset) { return (volatile u32 *)(u64)(APIC_BASE + offset); }

u32 apic_read(const struct cpu *me, u32 offset) {
  return me->x2apic ? (u32)kernel_call(read_msr, X2APIC_MSRS + offset / 16, 0) : *reg(offset);
}

void apic_write(const struct cpu *me, u32 offset, u32 value) {
  if (me->x2apic) {
    kernel_call(write_msr, X2APIC_MSRS + offset / 16, value);
  } else {
    *reg(offset) = value;
  }
}

void apic_enable(const struct cpu *me) {
  apic_write(me, APIC_SPURIOUS, APIC_SOFTWARE_ENABLED | VECTOR_SPURIOUS);
}

void send_ipi(const struct cpu *me, u32 apic_id, u32 low) {
  if (me->x2apic) {
    /* Unlike a store to the page, the MSR write doesn't wait for older stores (12.12.3). */
    __asm__ volatile("mfence" ::: "memory");
    kernel_call(write_msr, X2APIC_ICR_MSR, (u64)apic_id << 32 | low);
    return;
  }
  struct patience p;
  begin_waiting(&p);
  while (*reg(APIC_ICR_LOW) & ICR_BUSY) {
    keep_waiting(&p, me, "the APIC to send an IPI");
  }
  *reg(APIC_ICR_HIGH) = apic_id << XAPIC_DESTINATION_SHIFT;
  *reg(APIC_ICR_LOW) = low;
}

void enter_x2apic(struct cpu *me) {
  kernel_call(disable_interrupts, 0, 0);
  u64 base = kernel_call(read_msr, APIC_BASE_MSR, 0);
  kernel_call(write_msr, APIC_BASE_MSR, base | BASE_X2APIC);
  me->x2apic = 1;
  kernel_call(enable_interrupts, 0, 0);
}

int has_feature(u32 leaf1_ecx_bit) {
  u32 a, b, c, d;
  cpuid(1, &a, &b, &c, &d);
  return c >> leaf1_ecx_bit & 1;
}

#define MEASURED_FRACTION_OF_SECOND 100

u64 measure_apic_timer(const struct cpu *me) {
  apic_write(me, APIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
  apic_write(me, APIC_LVT_TIMER, TIMER_ONE_SHOT | TIMER_MASKED | VECTOR_TIMER);
  apic_write(me, APIC_TIMER_INITIAL, 0xffffffff);
  u64 start = read_tsc(), elapsed;
  do {
    pause();
    elapsed = read_tsc() - start;
  } while (elapsed < tsc_hz / MEASURED_FRACTION_OF_SECOND);
  u64 ticks = 0xffffffff - apic_read(me, APIC_TIMER_CURRENT);
  apic_write(me, APIC_TIMER_INITIAL, 0);
  return ticks * tsc_hz / elapsed;
}
