package org.pluribus.vmm.devices;

import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import org.pluribus.vmm.bus.BusDevice;

/**
 * MC146818 real-time clock with its CMOS memory: index at port 0x70, data at 0x71.
 *
 * <p>Tells the host's time in UTC. The guest may set it; the difference is kept for the machine's
 * life, the host's clock is never touched. No interrupts: status C's flags can be polled, alarms
 * never ring. Source: MC146818A data sheet; century register as in the FADT.
 */
public final class CmosRtc implements BusDevice {

  /** CMOS register of the century, in BCD or binary like the rest: what PCs use; in the FADT. */
  public static final int CENTURY = 0x32;

  private static final int SECONDS = 0;
  private static final int MINUTES = 2;
  private static final int HOURS = 4;
  private static final int DAY_OF_WEEK = 6;
  private static final int DAY = 7;
  private static final int MONTH = 8;
  private static final int YEAR = 9;
  private static final int STATUS_A = 10;
  private static final int STATUS_B = 11;
  private static final int STATUS_C = 12;
  private static final int STATUS_D = 13;
  private static final int CMOS_SIZE = 128;

  /** The index port's highest bit masks NMIs on a PC; not part of the index. */
  private static final int INDEX_MASK = 0x7F;

  private static final int UPDATE_IN_PROGRESS = 0x80;

  /** Status A after power-on: 32.768 kHz time base, 1024 Hz periodic rate. */
  private static final int STATUS_A_DEFAULT = 0x26;

  private static final int SET = 0x80;
  private static final int BINARY = 0x04;
  private static final int HOURS_24 = 0x02;
  private static final int AFTERNOON = 0x80;

  /** Status C: the update-ended flag. */
  private static final int UPDATE_ENDED = 0x10;

  /** Status D: battery good, so time and memory are valid. */
  private static final int VALID_TIME = 0x80;

  /** UIP rises 244 µs before an update, which takes 1984 µs (data sheet, table 3). */
  private static final int UPDATE_NANOS = 2_228_000;

  private static final int NANOS_PER_SECOND = 1_000_000_000;

  private final InstantSource clock;
  private final byte[] memory = new byte[CMOS_SIZE];
  private int index;
  private int statusA = STATUS_A_DEFAULT;
  private int statusB = HOURS_24;
  private long secondsAhead;
  private long lastUpdateSeen;

  /** The registers stand still while the guest sets them (status B, SET). */
  private LocalDateTime frozen = LocalDateTime.MIN;

  /**
   * @param clock the host's clock
   */
  public CmosRtc(InstantSource clock) {
    this.clock = clock;
    this.lastUpdateSeen = now().getEpochSecond();
  }

  @Override
  public synchronized long read(long offset, int size) {
    return offset == 0 ? 0xFF : readRegister();
  }

  @Override
  public synchronized void write(long offset, int size, long value) {
    if (offset == 0) {
      index = (int) value & INDEX_MASK;
      // OUT of 16 bits to port 0x70 sets both; drivers don't, but a PC's bus would.
      if (size > 1) {
        writeRegister((int) value >> Byte.SIZE & 0xFF);
      }
    } else {
      writeRegister((int) value & 0xFF);
    }
  }

  private Instant now() {
    return clock.instant().plusSeconds(secondsAhead);
  }

  private boolean setting() {
    return (statusB & SET) != 0;
  }

  private LocalDateTime time() {
    return setting() ? frozen : LocalDateTime.ofInstant(now(), ZoneOffset.UTC);
  }

  private int readRegister() {
    return switch (index) {
      case SECONDS -> encode(time().getSecond());
      case MINUTES -> encode(time().getMinute());
      case HOURS -> encodeHour(time().getHour());
      // 1 is Sunday here, 7 is Sunday in java.time.
      case DAY_OF_WEEK -> encode(time().getDayOfWeek().getValue() % 7 + 1);
      case DAY -> encode(time().getDayOfMonth());
      case MONTH -> encode(time().getMonthValue());
      case YEAR -> encode(time().getYear() % 100);
      case CENTURY -> encode(time().getYear() / 100);
      case STATUS_A -> statusA | (updateInProgress() ? UPDATE_IN_PROGRESS : 0);
      case STATUS_B -> statusB;
      case STATUS_C -> readFlags();
      case STATUS_D -> VALID_TIME;
      default -> memory[index] & 0xFF;
    };
  }

  private boolean updateInProgress() {
    return !setting() && now().getNano() >= NANOS_PER_SECOND - UPDATE_NANOS;
  }

  private int readFlags() {
    long second = now().getEpochSecond();
    boolean updated = second != lastUpdateSeen && !setting();
    lastUpdateSeen = second;
    return updated ? UPDATE_ENDED : 0;
  }

  private void writeRegister(int value) {
    switch (index) {
      case SECONDS, MINUTES, HOURS, DAY, MONTH, YEAR, CENTURY -> setTime(value);
      case DAY_OF_WEEK, STATUS_C, STATUS_D -> {
        // The weekday follows from the date; the others are read-only.
      }
      case STATUS_A -> statusA = value & ~UPDATE_IN_PROGRESS;
      case STATUS_B -> writeStatusB(value);
      default -> memory[index] = (byte) value;
    }
  }

  private void writeStatusB(int value) {
    boolean wasSetting = setting();
    if (!wasSetting && (value & SET) != 0) {
      frozen = time();
    }
    if (wasSetting && (value & SET) == 0) {
      adopt(frozen);
    }
    statusB = value;
  }

  private void setTime(int value) {
    LocalDateTime old = time();
    LocalDateTime changed = withField(old, value);
    if (setting()) {
      frozen = changed;
    } else {
      adopt(changed);
    }
  }

  private void adopt(LocalDateTime time) {
    secondsAhead = time.toEpochSecond(ZoneOffset.UTC) - clock.instant().getEpochSecond();
  }

  /**
   * The time with the indexed field changed; values outside a field's range are taken into it, as
   * the registers can hold anything. Setting a date goes field by field, so 31 may have to wait for
   * its month: days beyond the month's end are cut to it by java.time when the month is set after
   * the day, hence Linux's order (year, month, day) gives what was meant.
   */
  private LocalDateTime withField(LocalDateTime time, int value) {
    return switch (index) {
      case SECONDS -> time.withSecond(decode(value) % 60);
      case MINUTES -> time.withMinute(decode(value) % 60);
      case HOURS -> time.withHour(decodeHour(value));
      case DAY ->
          time.withDayOfMonth(Math.clamp(decode(value), 1, time.toLocalDate().lengthOfMonth()));
      case MONTH -> time.withMonth(Math.clamp(decode(value), 1, 12));
      case YEAR -> time.withYear(time.getYear() / 100 * 100 + decode(value) % 100);
      case CENTURY -> time.withYear(decode(value) % 100 * 100 + time.getYear() % 100);
      default -> time;
    };
  }

  private int encode(int value) {
    return (statusB & BINARY) != 0 ? value : value / 10 << 4 | value % 10;
  }

  private int decode(int value) {
    return (statusB & BINARY) != 0 ? value : (value >> 4) * 10 + (value & 0xF);
  }

  private int encodeHour(int hour) {
    if ((statusB & HOURS_24) != 0) {
      return encode(hour);
    }
    int onTheDial = hour % 12 == 0 ? 12 : hour % 12;
    return encode(onTheDial) | (hour >= 12 ? AFTERNOON : 0);
  }

  private int decodeHour(int value) {
    if ((statusB & HOURS_24) != 0) {
      return decode(value) % 24;
    }
    int onTheDial = decode(value & ~AFTERNOON) % 12;
    return onTheDial + ((value & AFTERNOON) != 0 ? 12 : 0);
  }
}
