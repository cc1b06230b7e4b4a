/*
 * From the first CPL3 instruction of the boot CPU to the end of the machine: finds out what machine it
 * is, wakes the other CPUs, runs the payload that the command line names, tells what came out.
 *
 * Command line: payload=NAME, scale=PERCENT (100), seed=N (1), limit=SECONDS (60; longest wait for
 * something another CPU or a device does).
 */
#include "payload.h"

/* hvm_start_info and its memory map (xen/include/public/arch-x86/hvm/start_info.h). */
struct start_info {
  u32 magic, version, flags, module_count;
  u64 modules, command_line, rsdp, memory_map;
  u32 memory_map_entries, reserved;
};

struct module {
  u64 start, size, command_line, reserved;
};

struct memory_map_entry {
  u64 start, size;
  u32 type, reserved;
};

#define START_MAGIC 0x336ec578
#define MAP_RAM 1

/* RAM is used up to here; the page tables in start.S map that much, and devices are above. */
#define RAM_LIMIT 0xc0000000
/* More than any payload's fixed pages. */
#define LEAST_PAGES 1024
#define RANDOM_STEP 0x9e3779b97f4a7c15

/* Power management timer (ACPI 6.5, 4.8.2.1); 24 bits are always there. */
#define PM_TIMER_HZ 3579545
#define PM_TIMER_MASK 0xffffff
#define CALIBRATION_TICKS (PM_TIMER_HZ / 100)
#define CALIBRATIONS 20
/* Of so many parts of the result at most so many in doubt: 3 percent. */
#define CALIBRATION_UNIT 1000
#define CALIBRATION_GOOD_ENOUGH 30

/* An interrupt gate of CPL0 (SDM vol. 3, 6.14.1) and an available TSS (8.2.3). */
#define GATE_TYPE 0x8e
#define TSS_TYPE 0x89
#define TSS_SIZE 104
#define IO_BITMAP_SIZE 8192

extern const struct payload *const payloads[];
extern u8 trampoline[], trampoline_end[], exception_stubs[], image_end[];
void on_ipi(void);
void on_timer(void);
void on_nmi(void);
void on_undefined(void);
void on_spurious(void);
void cpu_main(struct cpu *me) __attribute__((noreturn));

/* Written by start.S before anything else runs. */
__attribute__((section(".data"))) u32 pvh_info = 0;

struct cpu cpus[MAX_CPUS] __attribute__((aligned(CPU_SIZE)));
u64 idt[512] __attribute__((aligned(PAGE)));
struct cpu *volatile starting_cpu;

u32 cpu_count, node_count;
u64 scale_percent = 100, seed = 1;
u64 tsc_hz;
u64 limit_seconds = 60;
const void *module_start;
u64 module_size;
static const struct payload *chosen;
static u64 free_start, free_end;

_Static_assert(sizeof(struct cpu) == CPU_SIZE, "a CPU's area");
_Static_assert(offsetof(struct cpu, exception_vector) == CPU_EXCEPTION_VECTOR, "area");
_Static_assert(offsetof(struct cpu, x2apic) == CPU_X2APIC, "area");

/* gcc may call these by itself. */
void *memset(void *to, int value, size_t n) {
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
  return result;
}

void *memcpy(void *to, const void *from, size_t n) {
  void *result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
  return result;
}

/* ---- amounts, numbers, memory */

u64 scaled(u64 at_100) {
  u64 n = at_100 * scale_percent / 100;
  return n ? n : 1;
}

u64 mix(u64 x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

u64 next_random(struct cpu *me) { return mix(me->random += RANDOM_STEP); }

u64 checksum(u64 sum, const volatile u64 *words, u64 count) {
  for (u64 i = 0; i < count; i++) {
    sum = (sum << 7 | sum >> 57) * 5 + words[i];
  }
  return sum;
}

u64 shared_pages(void) { return (free_end - free_start) / PAGE; }

volatile u64 *shared_page(u64 i) {
  u64 per_node = shared_pages() / node_count;
  return (volatile u64 *)(free_start + (i % node_count * per_node + i / node_count) * PAGE);
}

int partner_of(const struct cpu *me) {
  u32 half = cpu_count / 2;
  if (me->index >= 2 * half) {
    return -1;
  }
  return (int)(me->index < half ? me->index + half : me->index - half);
}

/* ---- waiting */

#define TURNS_PER_LOOK 256

void begin_waiting(struct patience *p) {
  p->turns = 0;
  p->until = read_tsc() + limit_seconds * tsc_hz;
}

void keep_waiting(struct patience *p, const struct cpu *me, const char *what) {
  pause();
  if (++p->turns % TURNS_PER_LOOK == 0) {
    look_at_clock(p, me, what);
  }
}

void look_at_clock(const struct patience *p, const struct cpu *me, const char *what) {
  if (read_tsc() > p->until) {
    fail("CPU %u waited %u s for %s", me->index, limit_seconds, what);
  }
}

void wait_for(volatile u64 *word, u64 value, const struct cpu *me, const char *what) {
  struct patience p;
  begin_waiting(&p);
  while (*word != value) {
    keep_waiting(&p, me, what);
  }
}

static struct {
  volatile u64 arrived;
  u8 gap[PAGE - 8];
  volatile u64 generation;
} gate __attribute__((aligned(PAGE)));

/* Whether this CPU came last and has let the others go. */
static int arrive(void) {
  u64 generation = gate.generation;
  if (locked_add(&gate.arrived, 1) == cpu_count - 1) {
    gate.arrived = 0;
    gate.generation = generation + 1;
    return 1;
  }
  return 0;
}

void barrier(struct cpu *me) {
  u64 generation = gate.generation;
  if (!arrive()) {
    wait_for(&gate.generation, generation + 1, me, "the other CPUs");
  }
}

/* ---- start */

static int starts_with(const char *text, const char *prefix) {
  while (*prefix) {
    if (*text++ != *prefix++) {
      return 0;
    }
  }
  return 1;
}

static u64 number_at(const char *text) {
  u64 n = 0;
  while (*text >= '0' && *text <= '9') {
    n = n * 10 + (u64)(*text++ - '0');
  }
  return n;
}

static void choose_payload(const char *name) {
  for (int i = 0; payloads[i]; i++) {
    const char *known = payloads[i]->name;
    size_t n = 0;
    while (known[n]) {
      n++;
    }
    if (starts_with(name, known) && (name[n] == 0 || name[n] == ' ')) {
      chosen = payloads[i];
    }
  }
}

static void read_command_line(const char *text) {
  for (const char *word = text; *word; word++) {
    if (word != text && word[-1] != ' ') {
      continue;
    }
    if (starts_with(word, "payload=")) {
      choose_payload(word + 8);
    } else if (starts_with(word, "scale=")) {
      scale_percent = number_at(word + 6);
    } else if (starts_with(word, "seed=")) {
      seed = number_at(word + 5);
    } else if (starts_with(word, "limit=")) {
      limit_seconds = number_at(word + 6);
    }
  }
  if (!chosen) {
    fail("the command line names no payload that exists: %s", text);
  }
}

static void find_free_memory(const struct start_info *info) {
  const struct memory_map_entry *map = (const void *)info->memory_map;
  u64 image = (u64)image_end;
  for (u32 i = 0; i < info->memory_map_entries; i++) {
    u64 end = map[i].start + map[i].size;
    if (map[i].type == MAP_RAM && map[i].start <= image && image < end) {
      free_start = image;
      free_end = end < RAM_LIMIT ? end : RAM_LIMIT;
    }
  }
  if (shared_pages() < LEAST_PAGES) {
    fail("only %u KiB behind the image; give more memory", (free_end - free_start) / 1024);
  }
}

static void find_module(const struct start_info *info) {
  if (info->module_count) {
    const struct module *m = (const void *)info->modules;
    module_start = (const void *)m->start;
    module_size = m->size;
  }
}

static void set_gate(u32 vector, u64 handler) {
  idt[2 * vector] = (handler & 0xffff) | KERNEL_CS << 16 | (u64)GATE_TYPE << 40 |
                    (handler >> 16 & 0xffff) << 48;
  idt[2 * vector + 1] = handler >> 32;
}

static void set_idt(void) {
  for (u32 i = 0; i < 256; i++) {
    set_gate(i, (u64)on_spurious);
  }
  for (u32 i = 0; i < EXCEPTIONS; i++) {
    set_gate(i, (u64)exception_stubs + i * EXCEPTION_STUB_SIZE);
  }
  set_gate(NMI_VECTOR, (u64)on_nmi);
  set_gate(UNDEFINED_VECTOR, (u64)on_undefined);
  set_gate(VECTOR_IPI, (u64)on_ipi);
  set_gate(VECTOR_TIMER, (u64)on_timer);
}

/* GDT and TSS of a CPU; the TSS lets CPL3 use all ports by a bitmap of zeros (SDM vol. 1, 19.5.2). */
static void set_tables(struct cpu *c) {
  u8 *area = (u8 *)c;
  u64 *gdt = (u64 *)(area + CPU_GDT);
  u64 tss = (u64)(area + CPU_TSS);
  u64 limit = TSS_SIZE + IO_BITMAP_SIZE;
  gdt[1] = KERNEL_CODE64;
  gdt[2] = KERNEL_DATA;
  gdt[3] = USER_DATA;
  gdt[4] = USER_CODE64;
  gdt[5] = (limit & 0xffff) | (tss & 0xffffff) << 16 | (u64)TSS_TYPE << 40 | (tss >> 24 & 0xff) << 56;
  gdt[6] = tss >> 32;
  *(u16 *)(area + CPU_GDT_POINTER) = 7 * 8 - 1;
  *(u64 *)(area + CPU_GDT_POINTER + 2) = (u64)gdt;
  u32 *stack0 = (u32 *)(tss + 4);
  stack0[0] = (u32)((u64)area + CPU_KERNEL_STACK_TOP);
  *(u16 *)(tss + 102) = TSS_SIZE;
  *(u8 *)(tss + limit) = 0xff;
}

/* The only C that runs in CPL0, once: without these tables there is no way back from CPL3. */
void set_boot_tables(void) {
  set_idt();
  set_tables(&cpus[0]);
}

/* A reading of the power management timer, and the TSC before and after it. */
struct reading {
  u64 before, after;
  u32 timer;
};

static struct reading read_timer(void) {
  struct reading r;
  r.before = read_tsc();
  r.timer = inl(pm_timer_port);
  r.after = read_tsc();
  return r;
}

/* The host may take this CPU's core away at any moment; the measurement it disturbed least counts. */
static void measure_tsc(void) {
  u64 best = ~0ull;
  for (int i = 0; i < CALIBRATIONS && best > CALIBRATION_GOOD_ENOUGH; i++) {
    struct reading from = read_timer(), to;
    u32 ticks;
    do {
      to = read_timer();
      ticks = (to.timer - from.timer) & PM_TIMER_MASK;
    } while (ticks < CALIBRATION_TICKS);
    u64 least = to.before - from.after, most = to.after - from.before;
    u64 unsure = (most - least) * CALIBRATION_UNIT / most;
    if (unsure < best) {
      best = unsure;
      tsc_hz = (least + most) / 2 * PM_TIMER_HZ / ticks;
    }
  }
}

/* INIT, start-up IPI, and a second one if nothing came of the first (SDM vol. 3, 9.4.4). */
static void wake(struct cpu *c) {
  const struct cpu *me = &cpus[0];
  u64 ten_millis = tsc_hz / 100;
  starting_cpu = c;
  send_ipi(me, c->apic_id, ICR_INIT | ICR_ASSERT);
  u64 start = read_tsc();
  while (read_tsc() - start < ten_millis) {
    pause();
  }
  send_ipi(me, c->apic_id, ICR_STARTUP | ICR_ASSERT | TRAMPOLINE >> 12);
  start = read_tsc();
  while (!c->started && read_tsc() - start < tsc_hz) {
    pause();
  }
  if (!c->started) {
    send_ipi(me, c->apic_id, ICR_STARTUP | ICR_ASSERT | TRAMPOLINE >> 12);
    wait_for(&c->started, 1, me, "another CPU to start");
  }
}

void boot_main(struct cpu *me) {
  const struct start_info *info = (const void *)(u64)pvh_info;
  if (info->magic != START_MAGIC || info->version < 1) {
    fail("no PVH start info at %x", (u64)info);
  }
  read_acpi(info->rsdp);
  read_command_line((const char *)info->command_line);
  find_free_memory(info);
  find_module(info);
  measure_tsc();
  memcpy((void *)TRAMPOLINE, trampoline, (size_t)(trampoline_end - trampoline));
  for (u32 i = 0; i < cpu_count; i++) {
    cpus[i].random = mix(seed) + mix(i + 1);
    if (i > 0) {
      set_tables(&cpus[i]);
      wake(&cpus[i]);
    }
  }
  say("payload %s: %u CPUs on %u nodes, scale=%u seed=%u", chosen->name, (u64)cpu_count, (u64)node_count,
      scale_percent, seed);
  kernel_call(enable_interrupts, 0, 0);
  cpu_main(me);
}

void report_exception(struct cpu *me) {
  fail("CPU %u: exception %u, error code %x, at RIP %x, CR2 %x", me->index, me->exception_vector,
       me->exception_code, me->exception_rip, me->exception_cr2);
}

static void finish(void) __attribute__((noreturn));

void cpu_main(struct cpu *me) {
  apic_enable(me);
  me->started = 1;
  barrier(me);
  chosen->work(me);
  u64 generation = gate.generation;
  int last = arrive();
  if (me->index == 0) {
    if (!last) {
      wait_for(&gate.generation, generation + 1, me, "the other CPUs to finish");
    }
    chosen->report();
    finish();
  }
  kernel_call(halt_for_ever, 0, 0);
  fail("CPU %u left HLT for ever", me->index);
}

/* ---- telling */

#define SERIAL 0x3f8
#define SERIAL_FIFO (SERIAL + 2)
#define SERIAL_LINE_STATUS (SERIAL + 5)
#define FIFO_ON 1
#define FIFO_SIZE 16
#define TRANSMITTER_EMPTY 0x20

/* The machine's exit code is twice this plus 1. */
#define DEBUG_EXIT 0xf4
#define EXIT_PASSED 0x10
#define EXIT_FAILED 0x11
#define MAX_LINE 256

static struct {
  volatile u64 lock;
  u64 failed;
} output __attribute__((aligned(PAGE)));

static char *put_text(char *to, const char *end, const char *text) {
  while (*text && to < end) {
    *to++ = *text++;
  }
  return to;
}

static char *put_number(char *to, const char *end, u64 value, u64 base) {
  char digits[24];
  int n = 0;
  do {
    digits[n++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  while (n && to < end) {
    *to++ = digits[--n];
  }
  return to;
}

static char *format_line(char *to, const char *end, const char *format, va_list arguments) {
  for (; *format && to < end; format++) {
    if (*format != '%') {
      *to++ = *format;
      continue;
    }
    switch (*++format) {
      case 's':
        to = put_text(to, end, va_arg(arguments, const char *));
        break;
      case 'u':
        to = put_number(to, end, va_arg(arguments, u64), 10);
        break;
      default:
        to = put_number(to, end, va_arg(arguments, u64), 16);
    }
  }
  return to;
}

/* Bounded only by the host: a serial port that is never ready is a dead machine. */
static void transmit(const char *from, const char *end) {
  outb(SERIAL_FIFO, FIFO_ON);
  for (int i = 0; from < end; i++) {
    if (i % FIFO_SIZE == 0) {
      while (!(inb(SERIAL_LINE_STATUS) & TRANSMITTER_EMPTY)) {
        pause();
      }
    }
    outb(SERIAL, (u8)*from++);
  }
}

static void print(const char *prefix, const char *format, va_list arguments) {
  char line[MAX_LINE + 1];
  char *end = put_text(line, line + MAX_LINE, prefix);
  end = format_line(end, line + MAX_LINE, format, arguments);
  *end++ = '\n';
  transmit(line, end);
}

void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  while (exchange(&output.lock, 1)) {
    pause();
  }
  print("", format, arguments);
  exchange(&output.lock, 0);
  va_end(arguments);
}

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  while (exchange(&output.lock, 1)) {
    pause();
  }
  print("fail ", format, arguments);
  /* The lock is kept: the first reason is the last word. */
  outl(DEBUG_EXIT, EXIT_FAILED);
  for (;;) {
    pause();
  }
}

void count(const char *name, u64 value) { say("count %s=%u", name, value); }

void print_checksum(const char *name, u64 value) { say("checksum %s=%x", name, value); }

static void finish(void) {
  say("passed");
  outl(DEBUG_EXIT, EXIT_PASSED);
  for (;;) {
    pause();
  }
}
