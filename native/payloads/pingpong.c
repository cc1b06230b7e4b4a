/*
 * Pairs of CPUs, of different nodes where there are several, that answer each other through memory:
 * first by one word, then with data and flag on two pages each, written in that order.
 */
#include "payload.h"

#define ROUNDS_AT_100 1500
#define DATA_WORDS 8
#define DATA_STRIDE 8

static u64 answered[MAX_CPUS];

/* A pair's pages: the word, and for either direction data and flag. */
#define PAGES_OF_PAIR 5

static volatile u64 *pair_page(u64 pair, u64 i) { return shared_page(pair * PAGES_OF_PAIR + i); }

static void by_word(struct cpu *me, u64 pair, int first) {
  volatile u64 *word = pair_page(pair, 0);
  for (u64 i = 0; i < scaled(ROUNDS_AT_100); i++) {
    u64 turn = 2 * i + (first ? 0 : 1);
    wait_for(word, turn, me, "a word's change");
    *word = turn + 1;
    answered[me->index]++;
  }
}

static void send(volatile u64 *data, volatile u64 *flag, u64 message) {
  for (u64 w = 0; w < DATA_WORDS; w++) {
    data[w * DATA_STRIDE] = mix(message + w);
  }
  compiler_fence();
  *flag = message;
}

static void receive(const struct cpu *me, volatile u64 *data, volatile u64 *flag, u64 message) {
  wait_for(flag, message, me, "a message");
  for (u64 w = 0; w < DATA_WORDS; w++) {
    u64 value = data[w * DATA_STRIDE];
    if (value != mix(message + w)) {
      fail("CPU %u: message %u is flagged but its word %u is %x", me->index, message, w, value);
    }
  }
}

/* Whoever sends the next message has received the other's last one: none is overwritten unread. */
static void by_message(struct cpu *me, u64 pair, int first) {
  u64 out = first ? 1 : 3, in = first ? 3 : 1;
  for (u64 i = 1; i <= scaled(ROUNDS_AT_100); i++) {
    if (first) {
      send(pair_page(pair, out), pair_page(pair, out + 1), i);
    }
    receive(me, pair_page(pair, in), pair_page(pair, in + 1), i);
    if (!first) {
      send(pair_page(pair, out), pair_page(pair, out + 1), i);
    }
    answered[me->index]++;
  }
}

static void work(struct cpu *me) {
  int partner = partner_of(me);
  if (partner < 0) {
    return;
  }
  int first = me->index < (u64)partner;
  u64 pair = first ? me->index : (u64)partner;
  by_word(me, pair, first);
  by_message(me, pair, first);
}

static void report(void) {
  u64 sum = 0, hash = 0;
  for (u32 i = 0; i < cpu_count; i++) {
    sum += answered[i];
  }
  for (u64 pair = 0; pair < cpu_count / 2; pair++) {
    for (u64 i = 0; i < PAGES_OF_PAIR; i++) {
      hash = checksum(hash, pair_page(pair, i), WORDS_PER_PAGE);
    }
  }
  count("answers", sum);
  print_checksum("memory", hash);
}

const struct payload pingpong_payload = {"pingpong", work, report};
