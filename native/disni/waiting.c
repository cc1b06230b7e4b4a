/* Waiting for events with a limit, which neither library offers. */
#include "disni.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

#define NANOS_PER_MILLI 1000000LL
#define NANOS_PER_SECOND 1000000000LL
#define WITHOUT_END INT64_MAX

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * NANOS_PER_SECOND + time.tv_nsec;
}

int64_t end_of_wait(jint millis) { return millis < 0 ? WITHOUT_END : now() + millis * NANOS_PER_MILLI; }

/* poll's argument for what is left until an end, rounded up: else the last millisecond would be spun away. */
static int millis_until(int64_t end) {
  if (end == WITHOUT_END) return -1;
  int64_t left = end - now();
  if (left <= 0) return 0;
  int64_t millis = (left + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI;
  return millis > INT_MAX ? INT_MAX : (int)millis;
}

int has_event(int fd, int64_t end) {
  struct pollfd look = {.fd = fd, .events = POLLIN};
  for (;;) {
    int ready = poll(&look, 1, millis_until(end));
    if (ready == 0) return 0;
    /* A signal, say of a profiler, must not shorten or prolong the wait. */
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return -1;
    if (look.revents & POLLIN) return 1;
    /* Nothing to read and never will be: the device is gone, or the descriptor is closed. */
    errno = look.revents & POLLNVAL ? EBADF : ENODEV;
    return -1;
  }
}

int make_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}
