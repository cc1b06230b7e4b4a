/*
 * Runs single instructions on the host CPU, in user mode, and tells what became of the state.
 *
 * Usage: native-oracle FILE. FILE holds ROOM records for inputs, then ROOM for results. For every
 * 32-bit count N read from standard input, the first N inputs are run and N is written back.
 *
 * No assembly: a signal frame is a complete user-mode CPU state, so the handler of the first
 * breakpoint writes the wanted state into its frame and returns (rt_sigreturn loads it); with TF set
 * the instruction runs and traps, or it faults, and the next handler finds the whole state in its
 * own frame, with vector, error code and CR2 (Linux: arch/x86/include/uapi/asm/sigcontext.h).
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum {
  ROOM = 256,          /* records in each half of the file */
  CODE_BYTES = 64,     /* instruction bytes in a record */
  DATA_BYTES = 8192,   /* bytes of the data window */
  FXSAVE_BYTES = 512,
  NO_FAULT = -1,
  BATCH_SECONDS = 60 /* a batch takes milliseconds; end rather than hang the test */
};
/* Where code and data stand; the same in MachineImage.java. */
#define CODE_ADDRESS 0x40000000UL
#define DATA_ADDRESS 0x40100000UL
#define USER_DATA 0x2B /* selector; arch/x86/include/asm/segment.h */
#define TRAP_FLAG 0x100UL
#define NESTED_TASK_FLAG 0x4000UL
#define ID_FLAG 0x200000UL
#define RESUME_FLAG 0x10000UL /* set in the frame of a fault, whatever it was before */
#define XSTATE_X87_SSE 3UL /* XSTATE_BV bits 0 and 1: the legacy area counts */
/* The software-reserved bytes of the FXSAVE area say whether an XSAVE header follows. */
#define MAGIC1_OFFSET 464
#define MAGIC1 0x46505853u
#define XSTATE_BV_OFFSET 512

struct image {
  uint64_t gpr[16]; /* RAX RCX RDX RBX RSP RBP RSI RDI R8..R15 */
  uint64_t rip, rflags, fs_base, gs_base, cr2;
  int32_t vector, error_code;
  uint16_t cs, ss;
  uint32_t steps; /* in: most traps (of REP, each unit is one); out: traps */
  uint64_t length; /* in: of the instructions; the run ends when RIP leaves them */
  uint64_t uses_fpu; /* for another oracle */
  uint64_t unused[7];
  uint8_t fxsave[FXSAVE_BYTES];
  uint8_t code[CODE_BYTES];
  uint8_t pad[192];
  uint8_t data[DATA_BYTES];
};
_Static_assert(sizeof(struct image) == 1024 + DATA_BYTES, "MachineImage.java counts on it");

static const int GREG[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                             REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static struct image *in, *out;
static enum { LOAD, RUNNING } phase;
static uint32_t steps;
static unsigned long home_fs; /* the C library's thread-local storage */
static gregset_t home;
static uint8_t home_fx[FXSAVE_BYTES];

static void claim_legacy_state(uint8_t *fx) {
  uint32_t magic;
  memcpy(&magic, fx + MAGIC1_OFFSET, sizeof magic);
  if (magic == MAGIC1) {
    uint64_t bv;
    memcpy(&bv, fx + XSTATE_BV_OFFSET, sizeof bv);
    bv |= XSTATE_X87_SSE;
    memcpy(fx + XSTATE_BV_OFFSET, &bv, sizeof bv);
  }
}

static void load(ucontext_t *u) {
  uint8_t *fx = (uint8_t *)u->uc_mcontext.fpregs;
  memcpy(home, u->uc_mcontext.gregs, sizeof home);
  memcpy(home_fx, fx, MAGIC1_OFFSET);
  for (int i = 0; i < 16; i++) u->uc_mcontext.gregs[GREG[i]] = in->gpr[i];
  u->uc_mcontext.gregs[REG_RIP] = in->rip;
  u->uc_mcontext.gregs[REG_EFL] = in->rflags | TRAP_FLAG;
  uint64_t selectors = u->uc_mcontext.gregs[REG_CSGSFS]; /* cs, gs, fs, ss: 16 bits each */
  selectors = (selectors & 0x0000FFFFFFFF0000UL) | in->cs | (uint64_t)in->ss << 48;
  u->uc_mcontext.gregs[REG_CSGSFS] = selectors;
  memcpy(fx, in->fxsave, MAGIC1_OFFSET);
  claim_legacy_state(fx);
  steps = 0;
  phase = RUNNING;
}

static void store(const ucontext_t *u, int vector) {
  for (int i = 0; i < 16; i++) out->gpr[i] = u->uc_mcontext.gregs[GREG[i]];
  out->rip = u->uc_mcontext.gregs[REG_RIP];
  out->rflags = u->uc_mcontext.gregs[REG_EFL] & ~(TRAP_FLAG | RESUME_FLAG);
  out->vector = vector;
  out->error_code = vector == NO_FAULT ? 0 : (int32_t)u->uc_mcontext.gregs[REG_ERR];
  out->cr2 = vector == 14 ? (uint64_t)u->uc_mcontext.gregs[REG_CR2] : 0;
  out->cs = (uint16_t)u->uc_mcontext.gregs[REG_CSGSFS];
  out->ss = (uint16_t)(u->uc_mcontext.gregs[REG_CSGSFS] >> 48);
  out->steps = steps;
  memcpy(out->fxsave, u->uc_mcontext.fpregs, MAGIC1_OFFSET);
}

static void on_trap(int signal, siginfo_t *info, void *context) {
  /* POPF may have set AC, and a handler starts with it: its own misaligned accesses would fault. */
  __asm__ volatile(
      "lea -128(%%rsp), %%rsp\n pushfq\n andq $~0x40000, (%%rsp)\n popfq\n lea 128(%%rsp), %%rsp" ::
          : "cc", "memory");
  unsigned long fs;
  syscall(SYS_arch_prctl, ARCH_GET_FS, &fs);
  if (phase == RUNNING) syscall(SYS_arch_prctl, ARCH_SET_FS, home_fs);
  ucontext_t *u = context;
  (void)info;
  if (phase == LOAD) {
    load(u);
    return;
  }
  int vector = (int)u->uc_mcontext.gregs[REG_TRAPNO];
  int stepped = signal == SIGTRAP && vector == 1;
  uint64_t offset = (uint64_t)u->uc_mcontext.gregs[REG_RIP] - in->rip;
  if (stepped && offset < in->length && ++steps < in->steps) {
    u->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
    syscall(SYS_arch_prctl, ARCH_SET_FS, fs);
    return;
  }
  store(u, stepped ? NO_FAULT : vector);
  out->fs_base = fs;
  memcpy(u->uc_mcontext.gregs, home, sizeof home);
  memcpy((uint8_t *)u->uc_mcontext.fpregs, home_fx, MAGIC1_OFFSET);
  claim_legacy_state((uint8_t *)u->uc_mcontext.fpregs);
  phase = LOAD;
}

/* sigreturn leaves these flags as they are: set them here. */
static void set_kept_flags(uint64_t rflags) {
  const uint64_t kept = ID_FLAG | NESTED_TASK_FLAG;
  uint64_t flags = __builtin_ia32_readeflags_u64();
  __builtin_ia32_writeeflags_u64((flags & ~kept) | (rflags & kept));
}

static void run(void) {
  memcpy((void *)CODE_ADDRESS, in->code, CODE_BYTES);
  memcpy((void *)DATA_ADDRESS, in->data, DATA_BYTES);
  /* 64-bit code ignores DS and ES, which Linux leaves null there; 32-bit code needs them. */
  __asm__ volatile("mov %0, %%ds\n mov %0, %%es" ::"r"(USER_DATA));
  set_kept_flags(in->rflags);
  syscall(SYS_arch_prctl, ARCH_SET_GS, in->gs_base);
  /* From here to the end of the run nothing may touch thread-local storage. */
  syscall(SYS_arch_prctl, ARCH_SET_FS, in->fs_base);
  __asm__ volatile("int3" ::: "memory");
  memcpy(out->data, (void *)DATA_ADDRESS, DATA_BYTES);
  unsigned long gs;
  syscall(SYS_arch_prctl, ARCH_GET_GS, &gs);
  out->gs_base = gs;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void map(uint64_t address, size_t bytes, int protection) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  if (mmap((void *)address, bytes, protection, flags, -1, 0) != (void *)address) die("mmap");
}

static void catch_faults(void) {
  static uint8_t stack[1 << 16];
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  if (sigaltstack(&alternative, NULL)) die("sigaltstack");
  struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    if (sigaction(signals[i], &action, NULL)) die("sigaction");
  }
}

int main(int argc, char **argv) {
  int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
  if (fd < 0) die("native-oracle FILE");
  size_t half = ROOM * sizeof(struct image);
  struct image *records = mmap(NULL, 2 * half, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (records == MAP_FAILED) die("mmap of the records");
  map(CODE_ADDRESS, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
  map(DATA_ADDRESS, DATA_BYTES, PROT_READ | PROT_WRITE);
  catch_faults();
  syscall(SYS_arch_prctl, ARCH_GET_FS, &home_fs);
  uint32_t count;
  while (read(0, &count, sizeof count) == sizeof count && count <= ROOM) {
    alarm(BATCH_SECONDS);
    for (uint32_t i = 0; i < count; i++) {
      in = records + i;
      out = records + ROOM + i;
      run();
    }
    if (write(1, &count, sizeof count) != sizeof count) return 1;
  }
  return 0;
}
