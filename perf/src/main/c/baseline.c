/*
 * What perf/fault-ratio and perf/remote-fault-ratio compare our nodes with: the least a program in C has
 * to do to run the guest in guest.S on KVM, with its RAM guarded by userfaultfd as a node's is.
 *
 * RAM is one memory file mapped twice: the view, which the guest has and userfaultfd guards, and the
 * alias, which is ours. One thread runs the vCPU, another serves the faults: reads an event without
 * waiting, looks up what rights the page has, touches it through the alias, maps it (UFFDIO_CONTINUE).
 * When there is nothing to read it does as a node does: gives the core away so many times, then sleeps
 * until there is something.
 *
 * usage: baseline IMAGE KIND COUNT FIRST LIMIT RAM_BYTES YIELDS
 *   IMAGE to LIMIT: guest.S; YIELDS: the patience of the thread that serves faults.
 * A line on standard input lets the guest do a round; the answer is a line with its nanoseconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define IMAGE_ADDRESS 0x100000
#define PAGE_SHIFT 12
#define PAGE (1ul << PAGE_SHIFT)
#define BOUNDARY 0xE9
#define EVENTS 64
#define CPUID_ENTRIES 256
#define TSS_ADDRESS 0xFFFBD000ul
#define IDENTITY_MAP_ADDRESS 0xFFFBC000ul

struct image_header {
  uint64_t entry, page_map, gdt, gdt_limit, kind, count, first, limit;
};

static uint8_t *alias, *view;
static uint8_t *rights; /* by page: whether the guest has it */
static int uffd;
static long yields;

static void fail(const char *what) {
  fprintf(stderr, "baseline: %s: %s\n", what, strerror(errno));
  exit(2);
}

static int need(int answer, const char *what) {
  if (answer < 0) fail(what);
  return answer;
}

static uint64_t nanos(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* ---- RAM and its guard */

static void *map(int file, size_t size) {
  void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (p == MAP_FAILED) fail("mmap");
  return p;
}

static void make_ram(size_t size) {
  int file = need(memfd_create("baseline-ram", MFD_CLOEXEC), "memfd_create");
  need(ftruncate(file, size), "ftruncate");
  alias = map(file, size);
  view = map(file, size);
  rights = calloc(size >> PAGE_SHIFT, 1);
  need(madvise(view, size, MADV_NOHUGEPAGE), "madvise");
  memset(alias, 1, size); /* a page the file lacks costs more: not what is measured here */
}

static void guard(size_t size) {
  int device = need(open("/dev/userfaultfd", O_RDWR | O_CLOEXEC), "open /dev/userfaultfd");
  uffd = need(ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK), "USERFAULTFD_IOC_NEW");
  struct uffdio_api api = {.api = UFFD_API,
                           .features = UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM |
                                       UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM};
  need(ioctl(uffd, UFFDIO_API, &api), "UFFDIO_API");
  struct uffdio_register all = {
      .range = {.start = (uintptr_t)view, .len = size},
      .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR | UFFDIO_REGISTER_MODE_WP};
  need(ioctl(uffd, UFFDIO_REGISTER, &all), "UFFDIO_REGISTER");
}

static void serve(uint64_t address) {
  uint64_t page = (address - (uintptr_t)view) >> PAGE_SHIFT;
  rights[page] = 1;
  *(volatile uint8_t *)(alias + (page << PAGE_SHIFT));
  struct uffdio_continue c = {
      .range = {.start = (uintptr_t)view + (page << PAGE_SHIFT), .len = PAGE}};
  while (ioctl(uffd, UFFDIO_CONTINUE, &c) < 0) {
    if (errno != EAGAIN) fail("UFFDIO_CONTINUE");
  }
}

static void *serve_faults(void *unused) {
  struct uffd_msg events[EVENTS];
  struct pollfd readable = {.fd = uffd, .events = POLLIN};
  long idle = 0;
  for (;;) {
    ssize_t bytes = read(uffd, events, sizeof events);
    if (bytes < 0 && errno != EAGAIN) fail("read userfaultfd");
    for (long i = 0; i < bytes / (ssize_t)sizeof events[0]; i++) {
      serve(events[i].arg.pagefault.address);
    }
    if (bytes > 0) {
      idle = 0;
    } else if (++idle <= yields) {
      sched_yield();
    } else {
      need(poll(&readable, 1, -1), "poll userfaultfd");
    }
  }
  return unused;
}

/* ---- the vCPU */

static void set_segment(struct kvm_segment *s, int selector, int type, int code) {
  *s = (struct kvm_segment){.limit = 0xFFFFFFFF, .selector = selector, .type = type, .present = 1,
                            .s = 1, .db = !code, .l = code, .g = 1};
}

static void set_registers(int vcpu, const struct image_header *h) {
  struct kvm_sregs s;
  need(ioctl(vcpu, KVM_GET_SREGS, &s), "KVM_GET_SREGS");
  set_segment(&s.cs, 0x10, 11, 1);
  set_segment(&s.ds, 0x18, 3, 0);
  s.es = s.fs = s.gs = s.ss = s.ds;
  s.tr = (struct kvm_segment){.limit = 0x67, .selector = 0x20, .type = 11, .present = 1};
  s.gdt.base = h->gdt;
  s.gdt.limit = h->gdt_limit;
  s.idt.base = s.idt.limit = 0;
  s.cr0 = 0x80000011;
  s.cr3 = h->page_map;
  s.cr4 = 0x20;
  s.efer = 0x500;
  need(ioctl(vcpu, KVM_SET_SREGS, &s), "KVM_SET_SREGS");
  struct kvm_regs r = {.rip = h->entry, .rflags = 2};
  need(ioctl(vcpu, KVM_SET_REGS, &r), "KVM_SET_REGS");
}

static int make_vcpu(size_t size, struct kvm_run **run) {
  int kvm = need(open("/dev/kvm", O_RDWR | O_CLOEXEC), "open /dev/kvm");
  int vm = need(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  need(ioctl(vm, KVM_SET_TSS_ADDR, TSS_ADDRESS), "KVM_SET_TSS_ADDR");
  uint64_t identity = IDENTITY_MAP_ADDRESS;
  need(ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity), "KVM_SET_IDENTITY_MAP_ADDR");
  struct kvm_userspace_memory_region r = {.memory_size = size, .userspace_addr = (uintptr_t)view};
  need(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r), "KVM_SET_USER_MEMORY_REGION");
  int vcpu = need(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + CPUID_ENTRIES * sizeof cpuid->entries[0]);
  cpuid->nent = CPUID_ENTRIES;
  need(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid), "KVM_GET_SUPPORTED_CPUID");
  need(ioctl(vcpu, KVM_SET_CPUID2, cpuid), "KVM_SET_CPUID2");
  int bytes = need(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
  *run = map(vcpu, bytes);
  return vcpu;
}

/* Between two rounds: tells how long the last took, waits for the next; the time it begins. */
static uint64_t boundary(uint64_t began) {
  static int rounds;
  char line[16];
  uint64_t now = nanos();
  if (rounds++ > 0) {
    printf("%llu\n", (unsigned long long)(now - began));
  } else {
    puts("ready");
  }
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) exit(0);
  return nanos();
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "baseline: wants 7 arguments; perf/fault-ratio gives them\n");
    return 2;
  }
  size_t size = strtoull(argv[6], NULL, 0);
  yields = atol(argv[7]);
  make_ram(size);
  int image = need(open(argv[1], O_RDONLY), argv[1]);
  need(read(image, alias + IMAGE_ADDRESS, size - IMAGE_ADDRESS), argv[1]);
  struct image_header *header = (void *)(alias + IMAGE_ADDRESS);
  header->kind = strtoull(argv[2], NULL, 0);
  header->count = strtoull(argv[3], NULL, 0);
  header->first = strtoull(argv[4], NULL, 0);
  header->limit = strtoull(argv[5], NULL, 0);
  guard(size);
  struct kvm_run *run;
  int vcpu = make_vcpu(size, &run);
  set_registers(vcpu, header);
  pthread_t server;
  if (pthread_create(&server, NULL, serve_faults, NULL)) fail("pthread_create");
  uint64_t began = 0;
  uint8_t last = 0; /* what a device would keep */
  for (;;) {
    int answer = ioctl(vcpu, KVM_RUN, 0);
    if (answer < 0 && errno == EINTR) continue;
    need(answer, "KVM_RUN");
    if (run->exit_reason != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_OUT) {
      fprintf(stderr, "baseline: the guest left with exit reason %u\n", run->exit_reason);
      return 1;
    }
    last = *((uint8_t *)run + run->io.data_offset);
    if (run->io.port == BOUNDARY) began = boundary(began);
  }
  return last;
}
