// A library that makes the time of a QEMU that loads it run slower: CLOCK_MONOTONIC, and the time-stamp counter as
// its guest sees it. An emulated server then has about as many instructions in a second of its own as a real one
// has, and all servers on this machine the same time. By what factor says the file that the environment variable
// SLOW_CLOCK names, for all QEMUs at once, and it may change while they run.
// The program of the same source:
//   slow-clock khz                prints the kHz of this machine's time-stamp counter
//   slow-clock set FILE FACTOR    from now on the clocks go slower by FACTOR; makes the file if there is none
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum { NANOS_PER_SECOND = 1000000000, PAGE = 4096, MOST_SPEEDS = PAGE / 32 };

// A speed: slow time is (time - start) / factor. Starts are such that time goes on without a jump where the speed
// changes, so they lie before the machine's own start, or after; all is modulo 2^64.
struct speed {
  unsigned long long counter_start; // time-stamp counter
  unsigned long long fraction;      // 2^64 / factor
  long long nanos_start;
  long long factor;
};

// The file: all speeds so far. The first has only the place of the one that holds, in bytes from the file's
// start: a speed in use never changes.
union speeds {
  _Atomic unsigned long long current;
  struct speed of[MOST_SPEEDS];
};

static void give_up(const char *why) {
  fprintf(stderr, "slow-clock: %s\n", why);
  exit(3);
}

// The file of speeds, at an address or anywhere.
static union speeds *map_speeds(const char *file, void *at, int flags) {
  int fd = open(file, flags, 0600);
  if (fd < 0 || ((flags & O_CREAT) != 0 && ftruncate(fd, PAGE) != 0)) {
    give_up("the file of the clock's speed can't be opened");
  }
  int fixed = at == NULL ? 0 : MAP_FIXED;
  int rights = (flags & O_ACCMODE) == O_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE;
  void *got = mmap(at, PAGE, rights, MAP_SHARED | fixed, fd, 0);
  close(fd);
  if (got == MAP_FAILED) {
    give_up("the file of the clock's speed can't be mapped");
  }
  return got;
}

#ifdef LIBRARY
static int (*real)(clockid_t, struct timespec *);
static union speeds *speeds;

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (real == NULL) {
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  }
  int failed = real(clock, now);
  if (failed == 0 && clock == CLOCK_MONOTONIC && speeds != NULL) {
    const struct speed *speed = (const struct speed *)((const char *)speeds + atomic_load(&speeds->current));
    long long nanos = (now->tv_sec * (long long)NANOS_PER_SECOND + now->tv_nsec - speed->nanos_start) / speed->factor;
    now->tv_sec = nanos / NANOS_PER_SECOND;
    now->tv_nsec = nanos % NANOS_PER_SECOND;
  }
  return failed;
}

// What the compiler makes of QEMU's cpu_get_host_ticks(), wherever it is inlined:
// rdtsc; shl $32,%rdx; mov %eax,%eax; or %rdx,%rax
static const unsigned char READ_COUNTER[] = {0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x89, 0xc0, 0x48, 0x09, 0xd0};

// The same, then: lea speeds(%rip),%rdx; add (%rdx),%rdx; sub counter_start(%rdx),%rax; mulq fraction(%rdx);
// mov %rdx,%rax; jmp back. It needs no stack and changes no other register than the original.
static const unsigned char READ_SLOWLY[] = {0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0, 0x48, 0x8d, 0x15, 0,    0,    0,    0,    0x48, 0x03,
                                            0x12, 0x48, 0x2b, 0x02, 0x48, 0xf7, 0x62, 0x08, 0x48, 0x89, 0xd0, 0xe9, 0, 0, 0, 0};
enum { SPEEDS_OFFSET = 12, DISTANCE_BYTES = 4, JUMP_BYTES = 5, MOST_PLACES = 32 };

static void put_jump(unsigned char *at, const unsigned char *target) {
  int distance = (int)(target - (at + JUMP_BYTES));
  at[0] = 0xe9;
  memcpy(at + 1, &distance, sizeof distance);
}

// Two pages that jumps from the code at "near" can reach.
static unsigned char *pages_near(unsigned char *near) {
  for (long long away = 1 << 28; away < 1LL << 31; away += 1 << 24) {
    void *wanted = (void *)(((unsigned long)near - away) & -(unsigned long)PAGE);
    void *got = mmap(wanted, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != MAP_FAILED) {
      return got;
    }
  }
  give_up("no memory near QEMU's code");
  return NULL;
}

// Sends every reading of the counter in some code to a slow one; returns their number.
static int slow_down(unsigned char *code, size_t bytes, const char *file) {
  unsigned char *stub = pages_near(code);
  speeds = map_speeds(file, stub + PAGE, O_RDONLY);
  int places = 0;
  unsigned char *end = code + bytes;
  unsigned char *at = memmem(code, bytes, READ_COUNTER, sizeof READ_COUNTER);
  while (at != NULL && places < MOST_PLACES) {
    memcpy(stub, READ_SLOWLY, sizeof READ_SLOWLY);
    int distance = (int)((unsigned char *)speeds - (stub + SPEEDS_OFFSET + DISTANCE_BYTES));
    memcpy(stub + SPEEDS_OFFSET, &distance, sizeof distance);
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

struct search {
  const char *file;
  int places;
};

static int in_program(struct dl_phdr_info *program, size_t size, void *search) {
  struct search *this = search;
  (void)size;
  for (int i = 0; i < program->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &program->dlpi_phdr[i];
    if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
      this->places += slow_down((unsigned char *)program->dlpi_addr + part->p_vaddr, part->p_memsz, this->file);
    }
  }
  return 1; // the first is the program itself; libraries stay as they are
}

__attribute__((constructor)) static void begin(void) {
  struct search search = {getenv("SLOW_CLOCK"), 0};
  if (search.file != NULL) {
    dl_iterate_phdr(in_program, &search);
    if (search.places == 0) {
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

static void print_khz(void) {
  long long began = nanos();
  unsigned long long first = __rdtsc();
  while (nanos() - began < NANOS_PER_SECOND / 4) {
  }
  unsigned long long last = __rdtsc();
  long long passed = nanos() - began;
  printf("%lld\n", (long long)((double)(last - first) / passed * 1e6));
}

// Where the clock started that shows "slow" at "now" when it goes slower by a factor.
static unsigned long long start(unsigned long long now, unsigned long long slow, long long factor) { return now - slow * factor; }

static void set_speed(const char *file, long long factor) {
  union speeds *speeds = map_speeds(file, NULL, O_RDWR | O_CREAT);
  unsigned long long place = atomic_load(&speeds->current) / sizeof(struct speed);
  if (factor < 1 || place + 1 >= MOST_SPEEDS) {
    give_up("no such speed, or too many of them");
  }
  const struct speed before = place == 0 ? (struct speed){0, 0, 0, 1} : speeds->of[place];
  struct speed *after = &speeds->of[place + 1];
  unsigned long long counter = __rdtsc();
  long long now = nanos();
  after->counter_start = start(counter, (counter - before.counter_start) / before.factor, factor);
  after->nanos_start = start(now, (now - before.nanos_start) / before.factor, factor);
  after->fraction = factor == 1 ? ~0ULL : ~0ULL / factor + 1;
  after->factor = factor;
  atomic_store(&speeds->current, (place + 1) * sizeof(struct speed));
}

int main(int count, char **words) {
  if (count == 2 && strcmp(words[1], "khz") == 0) {
    print_khz();
  } else if (count == 4 && strcmp(words[1], "set") == 0) {
    set_speed(words[2], atoll(words[3]));
  } else {
    give_up("usage: slow-clock khz | slow-clock set FILE FACTOR");
  }
  return 0;
}
#endif
