// A library that makes the time of a QEMU that loads it run slower, by the factor in the environment variable
// SLOW_CLOCK: CLOCK_MONOTONIC, and the time-stamp counter as its guest sees it. An emulated server then has about
// as many instructions in a second of its own as a real one has, and all servers on this machine the same time.
// Run as a program (its main), it prints the kHz of this machine's time-stamp counter.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <x86intrin.h>

enum { NANOS_PER_SECOND = 1000000000 };

#ifdef LIBRARY
static int (*real)(clockid_t, struct timespec *);
static long long factor = 1;

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (real == NULL) {
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  }
  int failed = real(clock, now);
  if (failed == 0 && clock == CLOCK_MONOTONIC && factor > 1) {
    long long nanos = (now->tv_sec * (long long)NANOS_PER_SECOND + now->tv_nsec) / factor;
    now->tv_sec = nanos / NANOS_PER_SECOND;
    now->tv_nsec = nanos % NANOS_PER_SECOND;
  }
  return failed;
}

// What the compiler makes of QEMU's cpu_get_host_ticks(), wherever it is inlined:
// rdtsc; shl $32,%rdx; mov %eax,%eax; or %rdx,%rax
static const unsigned char READ_COUNTER[] = {0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x89, 0xc0, 0x48, 0x09, 0xd0};

// The same, then: mov $(2^64 / factor),%rdx; mul %rdx; mov %rdx,%rax; jmp back. It needs no stack and changes
// no other register than the original.
static const unsigned char READ_SLOWLY[] = {0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0, 0x48, 0xba, 0, 0, 0, 0,
                                            0,    0,    0,    0,    0x48, 0xf7, 0xe2, 0x48, 0x89, 0xd0, 0xe9, 0, 0, 0, 0};
enum { FACTOR_OFFSET = 11, JUMP_BYTES = 5, MOST_PLACES = 32, PAGE = 4096 };

static void give_up(const char *why) {
  fprintf(stderr, "slow-clock: %s\n", why);
  exit(3);
}

static void put_jump(unsigned char *at, const unsigned char *target) {
  int distance = (int)(target - (at + JUMP_BYTES));
  at[0] = 0xe9;
  memcpy(at + 1, &distance, sizeof distance);
}

// A page that jumps from the code at "near" can reach.
static unsigned char *page_near(unsigned char *near) {
  for (long long away = 1 << 28; away < 1LL << 31; away += 1 << 24) {
    void *wanted = (void *)(((unsigned long)near - away) & -(unsigned long)PAGE);
    void *got = mmap(wanted, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != MAP_FAILED) {
      return got;
    }
  }
  give_up("no memory near QEMU's code");
  return NULL;
}

// Sends every reading of the counter in some code to a slow one; returns their number.
static int slow_down(unsigned char *code, size_t bytes) {
  unsigned long long fraction = ~0ULL / factor + 1;
  unsigned char *stub = page_near(code);
  int places = 0;
  unsigned char *end = code + bytes;
  unsigned char *at = memmem(code, bytes, READ_COUNTER, sizeof READ_COUNTER);
  while (at != NULL && places < MOST_PLACES) {
    memcpy(stub, READ_SLOWLY, sizeof READ_SLOWLY);
    memcpy(stub + FACTOR_OFFSET, &fraction, sizeof fraction);
    put_jump(stub + sizeof READ_SLOWLY - JUMP_BYTES, at + sizeof READ_COUNTER);
    unsigned char *page = (unsigned char *)((unsigned long)at & -(unsigned long)PAGE);
    if (mprotect(page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
      give_up("QEMU's code can't be changed");
    }
    put_jump(at, stub);
    mprotect(page, 2 * PAGE, PROT_READ | PROT_EXEC);
    stub += sizeof READ_SLOWLY;
    places++;
    at = memmem(at + JUMP_BYTES, end - at - JUMP_BYTES, READ_COUNTER, sizeof READ_COUNTER);
  }
  return places;
}

static int in_program(struct dl_phdr_info *program, size_t size, void *places) {
  (void)size;
  for (int i = 0; i < program->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &program->dlpi_phdr[i];
    if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
      *(int *)places += slow_down((unsigned char *)program->dlpi_addr + part->p_vaddr, part->p_memsz);
    }
  }
  return 1; // the first is the program itself; libraries stay as they are
}

__attribute__((constructor)) static void begin(void) {
  const char *told = getenv("SLOW_CLOCK");
  int places = 0;
  factor = told == NULL ? 1 : atoll(told);
  if (factor > 1) {
    dl_iterate_phdr(in_program, &places);
    if (places == 0) {
      give_up("this QEMU reads the time-stamp counter in a way unknown to it");
    }
  }
}
#else
static long long nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * (long long)NANOS_PER_SECOND + now.tv_nsec;
}

int main(void) {
  long long began = nanos();
  unsigned long long first = __rdtsc();
  while (nanos() - began < NANOS_PER_SECOND / 4) {
  }
  unsigned long long last = __rdtsc();
  long long passed = nanos() - began;
  printf("%lld\n", (long long)((double)(last - first) / passed * 1e6));
  return 0;
}
#endif
