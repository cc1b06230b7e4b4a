/* Runs the checks and prints a line for each: "ok NAME SECONDS" or "FAIL NAME why". */
#define _GNU_SOURCE
#include "selftest.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Far more than a check takes on a slow machine at scale 1. */
#define LIMIT_SECONDS 240

int cpu_count;
int cpus[MAX_CPUS];

struct check {
  const char *name;
  const char *(*function)(int scale);
};

static const struct check checks[] = {
    {"locked-counters", check_locked_counters},
    {"mutex-counter", check_mutex_counter},
    {"false-sharing", check_false_sharing},
    {"spinlock-pages", check_spinlock_pages},
    {"crossing-lock", check_crossing_lock},
    {"message-passing", check_message_passing},
    {"store-buffer", check_store_buffer},
    {"ring", check_ring},
    {"memory-pattern", check_memory_pattern},
    {"protection", check_protection},
    {"modified-code", check_modified_code},
    {"fork-exec", check_fork_exec},
    {"pipe-ping-pong", check_pipe_ping_pong},
    {"migration", check_migration},
    {"signals", check_signals},
    {"floating-point", check_floating_point},
    {"clocks", check_clocks},
};

#define CHECK_COUNT ((int)(sizeof checks / sizeof checks[0]))

const char *failed(const char *format, ...) {
  char *text;
  va_list arguments;
  va_start(arguments, format);
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  return length < 0 ? "no memory for the reason" : text;
}

static void die(const char *what) {
  perror(what);
  exit(2);
}

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    die("sched_setaffinity");
  }
}

void *shared_pages(int count) {
  void *p = mmap(NULL, (size_t)count * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) {
    die("mmap");
  }
  return p;
}

int64_t now_nanos(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

struct start {
  int index;
  work function;
  void *argument;
  pthread_barrier_t *barrier;
};

static void *run_pinned(void *argument) {
  struct start *s = argument;
  pin(cpus[s->index]);
  pthread_barrier_wait(s->barrier);
  return (void *)s->function(s->index, s->argument);
}

const char *on_all_cpus(work function, void *argument) {
  pthread_t threads[MAX_CPUS];
  struct start starts[MAX_CPUS];
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, (unsigned)cpu_count);
  for (int i = 0; i < cpu_count; i++) {
    starts[i] = (struct start){i, function, argument, &barrier};
    if (pthread_create(&threads[i], NULL, run_pinned, &starts[i]) != 0) {
      die("pthread_create");
    }
  }
  const char *reason = NULL;
  for (int i = 0; i < cpu_count; i++) {
    void *result;
    pthread_join(threads[i], &result);
    if (reason == NULL) {
      reason = result;
    }
  }
  pthread_barrier_destroy(&barrier);
  return reason;
}

static void find_cpus(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) {
    die("sched_getaffinity");
  }
  for (int i = 0; i < CPU_SETSIZE && cpu_count < MAX_CPUS; i++) {
    if (CPU_ISSET(i, &set)) {
      cpus[cpu_count++] = i;
    }
  }
}

/* Runs a check in a child process; true if it is right. */
static int run(const struct check *c, int scale) {
  int64_t start = now_nanos();
  fflush(stdout);
  pid_t child = fork();
  if (child < 0) {
    die("fork");
  }
  if (child == 0) {
    alarm((unsigned)(LIMIT_SECONDS * scale));
    const char *reason = c->function(scale);
    if (reason != NULL) {
      printf("FAIL %s %s\n", c->name, reason);
      fflush(stdout);
    }
    _exit(reason != NULL);
  }
  int status;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    printf("FAIL %s %s\n", c->name,
           WTERMSIG(status) == SIGALRM ? "took too long" : strsignal(WTERMSIG(status)));
  } else if (WEXITSTATUS(status) > 1) {
    printf("FAIL %s could not run\n", c->name);
  } else if (WEXITSTATUS(status) == 0) {
    printf("ok %s %.1f s\n", c->name, (double)(now_nanos() - start) / 1e9);
  }
  fflush(stdout);
  return status == 0;
}

static int usage(const char *program) {
  fprintf(stderr, "usage: %s [--list] [--scale N] [NAME...]\nchecks:", program);
  for (int i = 0; i < CHECK_COUNT; i++) {
    fprintf(stderr, " %s", checks[i].name);
  }
  fputc('\n', stderr);
  return 2;
}

static const struct check *named(const char *name) {
  for (int i = 0; i < CHECK_COUNT; i++) {
    if (strcmp(checks[i].name, name) == 0) {
      return &checks[i];
    }
  }
  return NULL;
}

int main(int argc, char **argv) {
  int scale = 1;
  int next = 1;
  if (argc == 3 && strcmp(argv[1], "--child") == 0) {
    return fork_exec_child(argv[2]);
  }
  if (argc == 2 && strcmp(argv[1], "--list") == 0) {
    for (int i = 0; i < CHECK_COUNT; i++) {
      puts(checks[i].name);
    }
    return 0;
  }
  if (argc > 2 && strcmp(argv[1], "--scale") == 0) {
    scale = atoi(argv[2]);
    next = 3;
  }
  if (scale < 1 || scale > 1000) {
    return usage(argv[0]);
  }
  for (int i = next; i < argc; i++) {
    if (named(argv[i]) == NULL) {
      return usage(argv[0]);
    }
  }
  find_cpus();
  int wrong = 0;
  if (next == argc) {
    for (int i = 0; i < CHECK_COUNT; i++) {
      wrong += !run(&checks[i], scale);
    }
  }
  for (int i = next; i < argc; i++) {
    wrong += !run(named(argv[i]), scale);
  }
  return wrong != 0;
}
