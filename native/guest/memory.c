/* RAM, page protection and code that changes, seen from several CPUs. */
#define _GNU_SOURCE
#include "selftest.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- patterns: each CPU writes every n-th page, then checks what its neighbour wrote */

struct pattern {
  int pages;
  int rounds;
  uint64_t *words;
  pthread_barrier_t barrier;
};

#define WORDS_PER_PAGE (PAGE / 8)

static const char *verify(struct pattern *p, int index, int writer, int round) {
  for (int page = writer; page < p->pages; page += cpu_count) {
    uint64_t *words = p->words + (size_t)page * WORDS_PER_PAGE;
    uint64_t expected = mix(((uint64_t)round << 32) + (uint64_t)page);
    for (int w = 0; w < WORDS_PER_PAGE; w++) {
      if (words[w] != expected + (uint64_t)w) {
        return failed("round %d: CPU %d finds %lx in page %d at %x, CPU %d wrote %lx", round, cpus[index],
                      words[w], page, w * 8, cpus[writer], expected + (uint64_t)w);
      }
    }
  }
  return NULL;
}

static const char *pattern_work(int index, void *argument) {
  struct pattern *p = argument;
  const char *reason = NULL;
  for (int round = 0; round < p->rounds; round++) {
    int own = (index + round) % cpu_count;
    for (int page = own; page < p->pages; page += cpu_count) {
      uint64_t *words = p->words + (size_t)page * WORDS_PER_PAGE;
      uint64_t value = mix(((uint64_t)round << 32) + (uint64_t)page);
      for (int w = 0; w < WORDS_PER_PAGE; w++) {
        words[w] = value + (uint64_t)w;
      }
    }
    pthread_barrier_wait(&p->barrier);
    int neighbour = (own + 1) % cpu_count;
    const char *wrong = verify(p, index, neighbour, round);
    reason = reason == NULL ? wrong : reason;
    pthread_barrier_wait(&p->barrier);
  }
  return reason;
}

const char *check_memory_pattern(int scale) {
  struct pattern p = {.pages = 32 * 256, .rounds = 1 + scale}; /* 32 MiB */
  p.words = shared_pages(p.pages);
  pthread_barrier_init(&p.barrier, NULL, (unsigned)cpu_count);
  return on_all_cpus(pattern_work, &p);
}

/* ---- protection: once mprotect has returned, no CPU writes any more (TLB shoot-down) */

static __thread sigjmp_buf on_fault;
static __thread volatile uintptr_t fault_address;

static void caught(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  fault_address = (uintptr_t)info->si_addr;
  siglongjmp(on_fault, 1);
}

struct protection {
  int rounds;
  volatile uint64_t *page;
  pthread_barrier_t barrier;
};

/* Whether this CPU can write now. */
static int can_write(volatile uint64_t *place, uint64_t value) {
  if (sigsetjmp(on_fault, 1) != 0) {
    return 0;
  }
  *place = value;
  return 1;
}

static const char *protection_work(int index, void *argument) {
  struct protection *p = argument;
  const char *reason = NULL;
  for (int round = 0; round < p->rounds; round++) {
    volatile uint64_t *place = p->page + index;
    int writable = can_write(place, (uint64_t)round);
    if (!writable && reason == NULL) {
      reason = failed("round %d: CPU %d cannot write the writable page", round, cpus[index]);
    }
    pthread_barrier_wait(&p->barrier);
    if (index == round % cpu_count) {
      mprotect((void *)p->page, PAGE, PROT_READ);
    }
    pthread_barrier_wait(&p->barrier);
    fault_address = 0;
    writable = can_write(place, ~0ULL);
    if ((writable || fault_address != (uintptr_t)place || *place != (uint64_t)round) && reason == NULL) {
      reason = failed("round %d: CPU %d %s, fault at %lx, page at %lx", round, cpus[index],
                      writable ? "wrote the read-only page" : "faulted", (unsigned long)fault_address,
                      (unsigned long)place);
    }
    pthread_barrier_wait(&p->barrier);
    if (index == round % cpu_count) {
      mprotect((void *)p->page, PAGE, PROT_READ | PROT_WRITE);
    }
    pthread_barrier_wait(&p->barrier);
  }
  return reason;
}

const char *check_protection(int scale) {
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  struct protection p = {.rounds = 50 * scale, .page = shared_pages(1)};
  pthread_barrier_init(&p.barrier, NULL, (unsigned)cpu_count);
  return on_all_cpus(protection_work, &p);
}

/* ---- code: written on one CPU, run on all; also patched in place by the CPU that runs it */

struct code {
  int rounds;
  uint8_t *page;
  pthread_barrier_t barrier;
};

/* Makes a function that returns a constant: mov $value, %eax; ret. */
static void write_function(uint8_t *place, uint32_t value) {
  place[0] = 0xb8;
  memcpy(place + 1, &value, sizeof value);
  place[5] = 0xc3;
}

static uint32_t call(uint8_t *place) { return ((uint32_t(*)(void))(uintptr_t)place)(); }

static const char *code_work(int index, void *argument) {
  struct code *c = argument;
  const char *reason = NULL;
  uint8_t *own = c->page + 2048 + 16 * index;
  for (int round = 0; round < c->rounds; round++) {
    if (index == round % cpu_count) {
      write_function(c->page, (uint32_t)round);
    }
    pthread_barrier_wait(&c->barrier);
    uint32_t eax = 0, ebx, ecx = 0, edx;
    /* Cross-modified code needs a serializing instruction before it runs (SDM 9.1.3). */
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx)::"memory");
    uint32_t got = call(c->page);
    if (got != (uint32_t)round && reason == NULL) {
      reason = failed("round %d: CPU %d ran code of round %u", round, cpus[index], got);
    }
    uint32_t value = (uint32_t)mix((uint64_t)round * MAX_CPUS + (uint64_t)index);
    write_function(own, value);
    got = call(own);
    if (got != value && reason == NULL) {
      reason = failed("round %d: CPU %d ran stale code of its own", round, cpus[index]);
    }
    pthread_barrier_wait(&c->barrier);
  }
  return reason;
}

const char *check_modified_code(int scale) {
  struct code c = {.rounds = 100 * scale, .page = shared_pages(1)};
  if (mprotect(c.page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
    return failed("mprotect: %s", strerror(errno));
  }
  pthread_barrier_init(&c.barrier, NULL, (unsigned)cpu_count);
  return on_all_cpus(code_work, &c);
}
