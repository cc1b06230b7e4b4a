package org.pluribus.vmm.emulator;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All opcode rows, indexed for the decoder. Built once, immutable afterwards. */
public final class OpcodeTable {
  private static final OpcodeTable STANDARD = buildStandard();

  private final List<OpcodeRow> rows = new ArrayList<>();

  /**
   * By mode (1: 64-bit code), map, opcode and prefix class: a row, or a table of 256 by ModRM byte.
   * Some opcodes mean something else in 64-bit code (63 is ARPL or MOVSXD).
   */
  private final @Nullable Object[][][][] index = new Object[2][4][256][5];

  private final boolean[][] modrm = new boolean[4][256];

  /** The table of everything this CPU implements. */
  public static OpcodeTable standard() {
    return STANDARD;
  }

  private static OpcodeTable buildStandard() {
    OpcodeTable t = new OpcodeTable();
    IntegerRows.addTo(t);
    SystemRows.addTo(t);
    X87Rows.addTo(t);
    SseRows.addTo(t);
    return t;
  }

  /** Adds a row; see {@link OpcodeRow} for the notation. Rows must not overlap. */
  public void row(String opcode, String text, String attributes, Handler handler) {
    OpcodeRow r = new OpcodeRow(opcode, text, attributes, handler);
    rows.add(r);
    for (int i = 0; i < (r.plus ? 8 : 1); i++) {
      place(r, r.opcode + i);
    }
  }

  private void place(OpcodeRow r, int opcode) {
    modrm[r.map][opcode] |= r.hasModrm;
    if (!r.only64) {
      place(r, index[0][r.map][opcode]);
    }
    if (!r.invalid64) {
      place(r, index[1][r.map][opcode]);
    }
  }

  private static void place(OpcodeRow r, @Nullable Object[] byPrefix) {
    boolean always = r.ext < 0 && r.exactModrm < 0 && !r.memoryOnly && !r.registerOnly;
    if (always) {
      claim(byPrefix[r.prefix] == null, r);
      byPrefix[r.prefix] = r;
      return;
    }
    if (byPrefix[r.prefix] == null) {
      byPrefix[r.prefix] = new OpcodeRow[256];
    }
    claim(byPrefix[r.prefix] instanceof OpcodeRow[], r);
    OpcodeRow[] t = (OpcodeRow[]) byPrefix[r.prefix];
    for (int m = 0; m < 256; m++) {
      boolean exact = r.exactModrm >= 0;
      boolean hit =
          exact
              ? r.modrmPlus ? (m & 0xF8) == r.exactModrm : m == r.exactModrm
              : (r.ext < 0 || (m >> 3 & 7) == r.ext)
                  && !(r.memoryOnly && m >= 0xC0)
                  && !(r.registerOnly && m < 0xC0);
      // An exact ModRM row wins over a /digit row, whichever comes first.
      if (hit && (t[m] == null || (exact && t[m].exactModrm < 0))) {
        t[m] = r;
      } else if (hit) {
        claim(t[m].exactModrm >= 0 && !exact, r);
      }
    }
  }

  private static void claim(boolean free, OpcodeRow r) {
    if (!free) {
      throw new IllegalStateException("opcode rows overlap at " + r.text());
    }
  }

  /** All rows in the order of their definition. */
  public List<OpcodeRow> rows() {
    return List.copyOf(rows);
  }

  boolean hasModrm(int map, int opcode) {
    return modrm[map][opcode];
  }

  /**
   * The row for an opcode, or null when nothing is defined there.
   *
   * <p>F3 and F2 win over 66: with both, a row for 66 does not match.
   *
   * @param code64 whether it is 64-bit code
   * @param prefix one of {@link OpcodeRow#PREFIX_NONE} to {@link OpcodeRow#PREFIX_F2}
   * @param modrmByte the ModRM byte, ignored by opcodes without one
   */
  @Nullable OpcodeRow find(boolean code64, int map, int opcode, int prefix, int modrmByte) {
    Object[] byPrefix = index[code64 ? 1 : 0][map][opcode];
    OpcodeRow r = at(byPrefix[prefix], modrmByte);
    return r != null ? r : at(byPrefix[OpcodeRow.PREFIX_ANY], modrmByte);
  }

  private static @Nullable OpcodeRow at(@Nullable Object entry, int modrmByte) {
    return entry instanceof OpcodeRow[] t ? t[modrmByte & 0xFF] : (OpcodeRow) entry;
  }
}
