package org.pluribus.transport.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SendSlotsTest {
  private static final int SLOT_BYTES = 64;
  private static final int ENVELOPE = 16;
  private static final int BREAKS = 300;

  /** What the device has not sent yet. */
  private record Posted(long number, boolean signalled, int slot, @Nullable Long frames) {}

  /** One direction of a lane as VerbsLane drives it, with a device and a peer made up. */
  private static final class Sender {
    final Unconfirmed lane = new Unconfirmed();
    final UnsafeBuffer memory = new UnsafeBuffer(new byte[SendSlots.SLOTS * SLOT_BYTES]);
    SendSlots slots = new SendSlots(memory, SLOT_BYTES, ENVELOPE);
    Credits credits = new Credits();
    final ArrayDeque<Posted> device = new ArrayDeque<>();
    final ArrayDeque<Long> wire = new ArrayDeque<>();
    long next;
    long delivered;
    int owed;

    boolean canSendFrames() {
      return credits.canSend() && slots.hasRoomForFrames();
    }

    void sendFrames(byte[] bytes, int pages) {
      int at = slots.nextFrames();
      assertThat(device.stream().noneMatch(p -> p.slot() == at)).isTrue();
      memory.putBytes(at + ENVELOPE, bytes);
      boolean signalled = slots.signals(pages + 1, false);
      long number = memory.getLong(at + ENVELOPE);
      device.add(new Posted(slots.nextNumber(), signalled, at, number));
      slots.postedFrames(pages + 1, bytes.length);
      credits.spend();
    }

    void sendOther() {
      if (slots.hasRoomForOther()) {
        int at = slots.nextOther();
        assertThat(device.stream().noneMatch(p -> p.slot() == at)).isTrue();
        memory.setMemory(at, SLOT_BYTES, (byte) 0xEE);
        device.add(new Posted(slots.nextNumber(), slots.signals(1, true), at, null));
        slots.postedOther(1);
      }
    }

    /** A new message is its number and noise that its length and bytes follow from. */
    static byte[] bytes(long number) {
      Random noise = new Random(number);
      byte[] all = new byte[Long.BYTES + noise.nextInt(SLOT_BYTES - ENVELOPE - Long.BYTES + 1)];
      noise.nextBytes(all);
      new UnsafeBuffer(all).putLong(0, number);
      return all;
    }

    void sendSome(Random random) {
      for (int i = random.nextInt(40); i > 0 && canSendFrames(); i--) {
        if (lane.isEmpty()) {
          sendFrames(bytes(next++), random.nextInt(QueuePair.MAX_PAGES + 1));
          lane.countSent();
        } else {
          byte[] again = lane.first().bytes();
          assertThat(again).isEqualTo(bytes(new UnsafeBuffer(again).getLong(0)));
          sendFrames(again, lane.first().pages().length);
          lane.firstSent();
        }
        if (random.nextInt(4) == 0) {
          sendOther();
        }
      }
    }

    /** The device brings some over; what is signalled completes. */
    void bringOver(Random random) {
      for (int i = random.nextInt(60); i > 0 && !device.isEmpty(); i--) {
        Posted first = device.remove();
        if (first.frames() != null) {
          byte[] now = new byte[bytes(first.frames()).length];
          memory.getBytes(first.slot() + ENVELOPE, now);
          assertThat(now).isEqualTo(bytes(first.frames()));
          wire.add(first.frames());
        }
        if (first.signalled()) {
          slots.completed(first.number());
        }
      }
    }

    /** The peer's program gets some, in order and each once; credits come back now and then. */
    void deliver(Random random) {
      for (int i = random.nextInt(60); i > 0 && !wire.isEmpty(); i--) {
        assertThat(wire.remove()).isEqualTo(delivered);
        delivered++;
        owed++;
      }
      if (random.nextInt(3) == 0) {
        assertThat(credits.give(owed)).isTrue();
        owed = 0;
      }
    }

    /** The connection ends: what the device has and what the peer has not delivered is gone. */
    void breakDown(boolean begun) {
      List<Unconfirmed.Message> kept = new ArrayList<>();
      for (byte[] bytes : slots.unconfirmed(credits.unconfirmed())) {
        kept.add(new Unconfirmed.Message(bytes, new long[1]));
      }
      boolean hasBegun = begun && lane.isEmpty() && canSendFrames();
      lane.keep(kept, hasBegun ? new Unconfirmed.Message(bytes(next++), new long[0]) : null);
      device.clear();
      wire.clear();
      owed = 0;
      Arrays.fill(memory.byteArray(), (byte) 0);
      slots = new SendSlots(memory, SLOT_BYTES, ENVELOPE);
      credits = new Credits();
      assertThat(lane.objection(delivered)).isNull();
      lane.resume(delivered);
    }
  }

  @Test
  void nothingIsLostRepeatedOrOverwrittenHoweverOftenTheConnectionBreaks() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    Sender sender = new Sender();
    try {
      for (int broken = 0; broken < BREAKS; broken++) {
        for (int turn = random.nextInt(40); turn > 0; turn--) {
          sender.sendSome(random);
          sender.bringOver(random);
          sender.deliver(random);
        }
        sender.breakDown(random.nextBoolean());
      }
      while (sender.delivered < sender.next) {
        sender.sendSome(random);
        sender.bringOver(random);
        sender.deliver(random);
      }
    } catch (AssertionError | RuntimeException failed) {
      throw new AssertionError("seed " + seed, failed);
    }
    assertThat(sender.delivered).as("seed %d", seed).isGreaterThan(20 * BREAKS);
  }

  @Test
  void keepsAsManyMessagesAsThereAreCredits() {
    Sender sender = new Sender();
    while (sender.canSendFrames()) {
      sender.sendFrames(Sender.bytes(sender.next++), 0);
      sender.sendOther();
      sender.device.forEach(p -> sender.slots.completed(p.number()));
      sender.device.clear();
    }
    assertThat(sender.next).isEqualTo(Credits.MESSAGES);
    List<byte[]> kept = sender.slots.unconfirmed(sender.credits.unconfirmed());
    assertThat(kept).hasSize(Credits.MESSAGES);
    for (int number = 0; number < Credits.MESSAGES; number++) {
      assertThat(kept.get(number)).isEqualTo(Sender.bytes(number));
    }
  }

  @Test
  void waitsUntilTheDeviceIsDoneWithASlot() {
    Sender sender = new Sender();
    for (int i = 0; i < Credits.MESSAGES; i++) {
      sender.sendFrames(Sender.bytes(i), 0);
    }
    assertThat(sender.credits.give(Credits.MESSAGES)).isTrue();
    assertThat(sender.slots.hasRoomForFrames()).isFalse();
    sender.slots.completed(0);
    assertThat(sender.slots.hasRoomForFrames()).isTrue();
    assertThat(sender.slots.isIdle()).isFalse();
    sender.slots.completed(Credits.MESSAGES - 1);
    assertThat(sender.slots.isIdle()).isTrue();
  }
}
