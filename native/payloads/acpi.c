/*
 * What the payloads want from ACPI's tables: the CPUs (MADT), the nodes they are on (SRAT), and the
 * power management timer's port (FADT). Layouts: ACPI 6.5, chapter 5.
 */
#include "payload.h"

#define HEADER 36
#define RSDP_XSDT 24
#define XSDT_ENTRIES HEADER
#define FADT_PM_TIMER 76
#define MADT_ENTRIES 44
#define MADT_LOCAL_APIC 0
#define MADT_LOCAL_X2APIC 9
#define SRAT_ENTRIES 48
#define SRAT_LOCAL_APIC 0
#define SRAT_ENABLED 1

u16 pm_timer_port;

static u8 u8_at(u64 address) { return *(const u8 *)address; }
static u16 u16_at(u64 address) { return *(const u16 *)address; }
static u32 u32_at(u64 address) { return *(const u32 *)address; }
static u64 u64_at(u64 address) {
  return (u64)u32_at(address + 4) << 32 | u32_at(address);
}

static int is_table(u64 address, const char *signature) {
  for (int i = 0; i < 4; i++) {
    if (u8_at(address + i) != (u8)signature[i]) {
      return 0;
    }
  }
  return 1;
}

/* 0 if there is none. */
static u64 find_table(u64 rsdp, const char *signature) {
  u64 xsdt = u64_at(rsdp + RSDP_XSDT);
  u64 end = xsdt + u32_at(xsdt + 4);
  for (u64 at = xsdt + XSDT_ENTRIES; at < end; at += 8) {
    if (is_table(u64_at(at), signature)) {
      return u64_at(at);
    }
  }
  return 0;
}

static void read_madt(u64 madt) {
  u64 end = madt + u32_at(madt + 4);
  for (u64 at = madt + MADT_ENTRIES; at < end; at += u8_at(at + 1)) {
    if (u8_at(at) == MADT_LOCAL_X2APIC) {
      fail("APIC ids above 254 are more than a payload knows; give fewer CPUs");
    }
    if (u8_at(at) != MADT_LOCAL_APIC) {
      continue;
    }
    if (cpu_count == MAX_CPUS) {
      fail("more than %u CPUs; give fewer", (u64)MAX_CPUS);
    }
    cpus[cpu_count].index = cpu_count;
    cpus[cpu_count].apic_id = u8_at(at + 3);
    cpu_count++;
  }
}

static void read_srat(u64 srat) {
  u64 end = srat + u32_at(srat + 4);
  for (u64 at = srat + SRAT_ENTRIES; at < end; at += u8_at(at + 1)) {
    if (u8_at(at) != SRAT_LOCAL_APIC || (u32_at(at + 4) & SRAT_ENABLED) == 0) {
      continue;
    }
    u32 node = u8_at(at + 2) | (u32)u8_at(at + 9) << 8 | (u32)u16_at(at + 10) << 16;
    for (u32 i = 0; i < cpu_count; i++) {
      if (cpus[i].apic_id == u8_at(at + 3)) {
        cpus[i].node = node;
        node_count = node >= node_count ? node + 1 : node_count;
      }
    }
  }
}

void read_acpi(u64 rsdp) {
  u64 madt = find_table(rsdp, "APIC");
  u64 srat = find_table(rsdp, "SRAT");
  u64 fadt = find_table(rsdp, "FACP");
  if (!madt || !fadt) {
    fail("no MADT or no FADT behind the RSDP at %x", rsdp);
  }
  pm_timer_port = (u16)u32_at(fadt + FADT_PM_TIMER);
  node_count = 1;
  read_madt(madt);
  if (srat) {
    read_srat(srat);
  }
}
