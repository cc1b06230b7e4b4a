/* Processes, pipes, signals and moves between CPUs. */
#define _GNU_SOURCE
#include "selftest.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- fork and exec, on each CPU in turn */

int fork_exec_child(const char *number) {
  /* What the parent had in memory must not have come along; what libc keeps must work. */
  static int untouched;
  char *copy = strdup(number);
  int n = copy != NULL && untouched++ == 0 ? atoi(copy) : 255;
  free(copy);
  return n;
}

const char *check_fork_exec(int scale) {
  int times = 200 * scale;
  char *shared = shared_pages(1);
  volatile char private = 1;
  for (int i = 0; i < times; i++) {
    int expected = i % 200;
    pid_t child = fork();
    if (child < 0) {
      return failed("fork %d: %s", i, strerror(errno));
    }
    if (child == 0) {
      private = 2; /* copied on write: the parent keeps its own */
      shared[0] = (char)(i + 1);
      pin(cpus[i % cpu_count]);
      char number[16];
      snprintf(number, sizeof number, "%d", expected);
      execl("/proc/self/exe", "selftest", "--child", number, (char *)NULL);
      _exit(254);
    }
    int status;
    if (waitpid(child, &status, 0) != child) {
      return failed("waitpid %d: %s", i, strerror(errno));
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected) {
      return failed("child %d on CPU %d: status %x, expected exit code %d", i, cpus[i % cpu_count], status,
                    expected);
    }
    if (private != 1 || shared[0] != (char)(i + 1)) {
      return failed("child %d: private %d, shared %d", i, private, shared[0]);
    }
  }
  return NULL;
}

/* ---- ping-pong over pipes between the first CPU and each of the others */

static int read_all(int fd, void *buffer, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t n = read(fd, (char *)buffer + done, size - done);
    if (n <= 0) {
      return -1;
    }
    done += (size_t)n;
  }
  return 0;
}

static int echo(int in, int out, int rounds) {
  uint64_t message[8];
  for (int i = 0; i < rounds; i++) {
    if (read_all(in, message, sizeof message) != 0) {
      return 1;
    }
    for (int w = 0; w < 8; w++) {
      message[w] = mix(message[w]);
    }
    if (write(out, message, sizeof message) != sizeof message) {
      return 1;
    }
  }
  return 0;
}

static const char *ping_pong(int cpu, int rounds) {
  int there[2];
  int back[2];
  if (pipe(there) != 0 || pipe(back) != 0) {
    return failed("pipe: %s", strerror(errno));
  }
  pid_t child = fork();
  if (child == 0) {
    pin(cpu);
    close(there[1]);
    close(back[0]);
    _exit(echo(there[0], back[1], rounds));
  }
  pin(cpus[0]);
  close(there[0]);
  close(back[1]);
  const char *reason = NULL;
  for (int i = 0; i < rounds && reason == NULL; i++) {
    uint64_t message[8];
    uint64_t answer[8];
    for (int w = 0; w < 8; w++) {
      message[w] = (uint64_t)i * 8 + (uint64_t)w;
    }
    if (write(there[1], message, sizeof message) != sizeof message ||
        read_all(back[0], answer, sizeof answer) != 0) {
      reason = failed("CPU %d, round %d: %s", cpu, i, strerror(errno));
    }
    for (int w = 0; w < 8 && reason == NULL; w++) {
      if (answer[w] != mix(message[w])) {
        reason = failed("CPU %d, round %d: wrong answer", cpu, i);
      }
    }
  }
  close(there[1]);
  close(back[0]);
  int status;
  waitpid(child, &status, 0);
  return reason == NULL && status != 0 ? failed("the echo on CPU %d ended with %x", cpu, status) : reason;
}

const char *check_pipe_ping_pong(int scale) {
  signal(SIGPIPE, SIG_IGN);
  const char *reason = NULL;
  for (int i = cpu_count - 1; i >= 0 && reason == NULL; i--) {
    reason = ping_pong(cpus[i], 200 * scale);
  }
  return reason;
}

/* ---- a thread moves from CPU to CPU with its registers and stack */

const char *check_migration(int scale) {
  uint64_t sum = 0;
  uint64_t expected = 0;
  double product = 1;
  int moves = 200 * scale;
  for (int i = 0; i < moves; i++) {
    int cpu = cpus[i % cpu_count];
    pin(cpu);
    int at = sched_getcpu();
    if (at != cpu) {
      return failed("move %d: on CPU %d instead of %d", i, at, cpu);
    }
    sum += mix((uint64_t)i);
    product *= 1.0 + 1.0 / (i + 1); /* telescopes to moves + 1 */
  }
  for (int i = 0; i < moves; i++) {
    expected += mix((uint64_t)i);
  }
  if (sum != expected || fabs(product - (moves + 1)) > 1e-6) {
    return failed("sum %lx instead of %lx, product %.9f instead of %d", sum, expected, product, moves + 1);
  }
  return NULL;
}

/* ---- signals: from a timer, and between threads on different CPUs */

static volatile sig_atomic_t ticks;
static volatile uint64_t received[MAX_CPUS];
static __thread int self;

static void tick(int signal) {
  (void)signal;
  ticks++;
}

static void note(int signal) {
  (void)signal;
  received[self]++;
}

struct mates {
  int rounds;
  pthread_t threads[MAX_CPUS];
  pthread_barrier_t barrier;
};

/* Sends to the next CPU's thread and waits until one has come, so that none are merged. */
static const char *signal_work(int index, void *argument) {
  struct mates *m = argument;
  self = index;
  m->threads[index] = pthread_self();
  pthread_barrier_wait(&m->barrier);
  const char *reason = NULL;
  for (int i = 0; i < m->rounds; i++) {
    pthread_kill(m->threads[(index + 1) % cpu_count], SIGUSR1);
    int64_t start = now_nanos();
    while (received[index] <= (uint64_t)i && reason == NULL) {
      sched_yield();
      if (now_nanos() - start > 20000000000LL) {
        reason = failed("CPU %d got no signal in round %d", cpus[index], i);
      }
    }
    pthread_barrier_wait(&m->barrier);
  }
  return reason;
}

const char *check_signals(int scale) {
  signal(SIGUSR1, note);
  struct mates m = {.rounds = 50 * scale};
  pthread_barrier_init(&m.barrier, NULL, (unsigned)cpu_count);
  const char *reason = on_all_cpus(signal_work, &m);
  if (reason != NULL) {
    return reason;
  }
  for (int i = 0; i < cpu_count; i++) {
    if (received[i] != (uint64_t)m.rounds) {
      return failed("CPU %d got %lu signals of %d", cpus[i], received[i], m.rounds);
    }
  }
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
  struct itimerspec every = {.it_value.tv_nsec = 10000000, .it_interval.tv_nsec = 10000000};
  timer_t timer;
  signal(SIGUSR2, tick);
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &every, NULL) != 0) {
    return failed("timer: %s", strerror(errno));
  }
  /* Busy on purpose: the timer has to interrupt. */
  for (int64_t start = now_nanos(); ticks < 20;) {
    if (now_nanos() - start > 20000000000LL) {
      return failed("%d timer signals in 20 s", (int)ticks);
    }
  }
  return NULL;
}

/* ---- floating point: two threads to a CPU, each with other values in its registers */


static double series(int rounds, int parity) {
  volatile long double x87 = 0;
  double sse = 0;
  for (int i = 0; i < rounds; i++) {
    double term = (i & 1 ? -1.0 : 1.0) / (2.0 * i + 1 + parity * 1000);
    sse += term;
    x87 += term;
    if (i % 500 == 0) {
      sched_yield();
    }
  }
  return fabs((double)x87 - sse) < 1e-9 ? sse : NAN;
}

struct pair {
  int rounds;
  double result;
};

static void *odd_series(void *argument) {
  struct pair *p = argument;
  p->result = series(p->rounds, 1);
  return NULL;
}

static const char *float_work(int index, void *argument) {
  struct pair *expected = argument;
  struct pair other = {expected[1].rounds, 0};
  pthread_t thread;
  if (pthread_create(&thread, NULL, odd_series, &other) != 0) {
    return failed("pthread_create: %s", strerror(errno));
  }
  double mine = series(expected[0].rounds, 0);
  pthread_join(thread, NULL);
  if (mine != expected[0].result || other.result != expected[1].result) {
    return failed("CPU %d: %.17g and %.17g instead of %.17g and %.17g", cpus[index], mine, other.result,
                  expected[0].result, expected[1].result);
  }
  return NULL;
}

const char *check_floating_point(int scale) {
  int rounds = 20000 * scale;
  struct pair expected[2] = {{rounds, series(rounds, 0)}, {rounds, series(rounds, 1)}};
  /* Leibniz: the even series comes to pi/4, with an error below its last term. */
  if (fabs(expected[0].result - M_PI / 4) > 1.0 / rounds) {
    return failed("pi comes to %.17g", 4 * expected[0].result);
  }
  return on_all_cpus(float_work, expected);
}

/* ---- clocks: never seen to run backwards, on whichever CPU one looks */

struct clocks {
  int rounds;
  volatile uint32_t lock;
  char gap[PAGE];
  volatile uint64_t tsc;
  volatile int64_t monotonic;
  volatile int last_cpu;
};

static const char *clock_work(int index, void *argument) {
  struct clocks *c = argument;
  const char *reason = NULL;
  for (int i = 0; i < c->rounds && reason == NULL; i++) {
    int spins = 0;
    while (__atomic_exchange_n(&c->lock, 1, __ATOMIC_ACQUIRE) != 0) {
      if (++spins % 100 == 0) {
        sched_yield();
      }
    }
    uint64_t tsc = __builtin_ia32_rdtsc();
    int64_t monotonic = now_nanos();
    if (tsc < c->tsc) {
      reason = failed("TSC of CPU %d is %lu behind CPU %d's", cpus[index], c->tsc - tsc, c->last_cpu);
    } else if (monotonic < c->monotonic) {
      reason = failed("CLOCK_MONOTONIC of CPU %d is %ld ns behind CPU %d's", cpus[index],
                      c->monotonic - monotonic, c->last_cpu);
    }
    c->tsc = tsc;
    c->monotonic = monotonic;
    c->last_cpu = cpus[index];
    __atomic_store_n(&c->lock, 0, __ATOMIC_RELEASE);
  }
  return reason;
}

const char *check_clocks(int scale) {
  struct clocks *c = shared_pages(3);
  c->rounds = 2000 * scale;
  const char *reason = on_all_cpus(clock_work, c);
  if (reason != NULL) {
    return reason;
  }
  struct timespec nap = {0, 50000000};
  int64_t start = now_nanos();
  time_t wall = time(NULL);
  for (int i = 0; i < 5; i++) {
    nanosleep(&nap, NULL);
  }
  int64_t slept = now_nanos() - start;
  if (slept < 250000000) {
    return failed("5 naps of 50 ms took %ld us", slept / 1000);
  }
  return wall > 1600000000 ? NULL : failed("the wall clock says %ld", (long)wall);
}
