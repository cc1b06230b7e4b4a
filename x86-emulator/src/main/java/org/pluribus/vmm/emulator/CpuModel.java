package org.pluribus.vmm.emulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which processor the machine's CPUs say they are, and what they tell of speculative execution: a
 * kernel decides by both which mitigations it needs. All CPUs of a machine say the same.
 *
 * @param vendor twelve letters of leaf 0
 * @param signature family, model and stepping as EAX of leaf 1 has them
 * @param leaf7Edx speculation bits of leaf 7, EDX
 * @param leaf7Sub2Edx those of leaf 7, subleaf 2, EDX
 * @param extended8Ebx those of leaf 0x80000008, EBX (AMD)
 * @param extended21Eax those of leaf 0x80000021, EAX (AMD)
 * @param archCapabilities IA32_ARCH_CAPABILITIES, for guests that are told of it
 */
public record CpuModel(
    String vendor,
    int signature,
    int leaf7Edx,
    int leaf7Sub2Edx,
    int extended8Ebx,
    int extended21Eax,
    long archCapabilities) {
  private static final String INTEL = "GenuineIntel";
  private static final List<String> VENDORS = List.of(INTEL, "AuthenticAMD", "HygonGenuine");

  private static final int SPEC_CTRL = 1 << 26;
  private static final int ARCH_CAPABILITIES = 1 << 29;

  /** SRBDS_CTRL, MD_CLEAR, SPEC_CTRL, STIBP, L1D_FLUSH, ARCH_CAPABILITIES, SSBD (SDM 2, CPUID). */
  private static final int LEAF7_EDX = 1 << 9 | 1 << 10 | 0x2F << 26;

  /** PSFD, IPRED_CTRL, RRSBA_CTRL, DDPD_U, BHI_CTRL, MCDT_NO. */
  private static final int LEAF7_SUB2_EDX = 0x3F;

  /**
   * IBPB, IBRS, STIBP, both always on, IBRS preferred, IBRS same mode, SSBD, VIRT_SSBD, SSB_NO,
   * PSFD, BTC_NO, IBPB_RET (AMD APM volume 3, E.4.8).
   */
  private static final int EXTENDED8_EBX = 0x770F_D000;

  /**
   * LFENCE serialises, VERW_CLEAR, automatic IBRS, SBPB, IBPB_BRTYPE, SRSO_NO, SRSO_USER_KERNEL_NO
   * (AMD APM volume 3, E.4.18).
   */
  private static final int EXTENDED21_EAX = 1 << 2 | 1 << 5 | 1 << 8 | 0xF << 27;

  /** RDCL_NO, IBRS_ALL, SKIP_L1DFL_VMENTRY, SSB_NO, MDS_NO, PSCHANGE_MC_NO, TAA_NO. */
  private static final long SAFE_CAPABILITIES = 1 | 2 | 8 | 16 | 32 | 64 | 256;

  /**
   * An in-order Atom (Saltwell: family 6, model 0x36): Linux knows that it does not speculate and
   * leaves out all mitigations, which an interpreter needs as little.
   */
  public static final CpuModel IN_ORDER =
      new CpuModel(INTEL, 0x00030661, SPEC_CTRL | ARCH_CAPABILITIES, 0, 0, 0, SAFE_CAPABILITIES);

  private static final Pattern TEXT =
      Pattern.compile("(\\w{12})((?:-[0-9a-f]{8}){5})-([0-9a-f]{16})");

  private static final int HEX = 16;

  /** Checks the vendor. */
  public CpuModel {
    if (!VENDORS.contains(vendor)) {
      throw new IllegalArgumentException(
          "CPU vendor '" + vendor + "' is unknown; give one of " + String.join(", ", VENDORS));
    }
  }

  /** Whether a processor of this vendor can be shown to guests. */
  public static boolean knowsVendor(String vendor) {
    return VENDORS.contains(vendor);
  }

  /** This model with nothing but speculation bits in its words. */
  public CpuModel masked() {
    int edx = leaf7Edx & LEAF7_EDX;
    if (!isIntel()) {
      edx &= ~ARCH_CAPABILITIES; // an MSR of Intel's, which KVM would make up
    }
    return new CpuModel(
        vendor,
        signature,
        edx,
        leaf7Sub2Edx & LEAF7_SUB2_EDX,
        extended8Ebx & EXTENDED8_EBX,
        extended21Eax & EXTENDED21_EAX,
        (edx & ARCH_CAPABILITIES) == 0 ? 0 : archCapabilities);
  }

  /** Whether it is an Intel processor: others are told their place in the topology otherwise. */
  public boolean isIntel() {
    return vendor.equals(INTEL);
  }

  /** Whether guests are told that there is IA32_ARCH_CAPABILITIES. */
  public boolean hasArchCapabilities() {
    return (leaf7Edx & ARCH_CAPABILITIES) != 0;
  }

  /** The vendor as EBX, EDX and ECX of leaf 0, in this order. */
  int[] vendorWords() {
    ByteBuffer letters =
        ByteBuffer.wrap(vendor.getBytes(StandardCharsets.US_ASCII)).order(ByteOrder.LITTLE_ENDIAN);
    return new int[] {letters.getInt(), letters.getInt(), letters.getInt()};
  }

  /**
   * Why a host with {@code host} as its own model cannot show this one; null if it can. It can if
   * it is the same processor and has all that this model promises.
   */
  public @Nullable String misfit(CpuModel host) {
    if (!vendor.equals(host.vendor) || signature != host.signature) {
      return "this host's processor is %s %08x, the machine's cpuModel is %s %08x"
          .formatted(host.vendor, host.signature, vendor, signature);
    }
    boolean covered =
        (leaf7Edx & ~host.leaf7Edx) == 0
            && (leaf7Sub2Edx & ~host.leaf7Sub2Edx) == 0
            && (extended8Ebx & ~host.extended8Ebx) == 0
            && (extended21Eax & ~host.extended21Eax) == 0
            && (archCapabilities & ~host.archCapabilities) == 0;
    return covered
        ? null
        : "this host's processor or microcode lacks speculation controls that the machine's cpuModel"
            + " promises; this host's is "
            + host.text();
  }

  /** In one word, for cluster files: {@link #parse} reads it. */
  public String text() {
    return String.format(
        Locale.ROOT,
        "%s-%08x-%08x-%08x-%08x-%08x-%016x",
        vendor,
        signature,
        leaf7Edx,
        leaf7Sub2Edx,
        extended8Ebx,
        extended21Eax,
        archCapabilities);
  }

  /**
   * Reads {@link #text()}.
   *
   * @throws IllegalArgumentException one line for the user
   */
  public static CpuModel parse(String text) {
    Matcher m = TEXT.matcher(text);
    if (!m.matches()) {
      throw new IllegalArgumentException(
          "cpuModel '" + text + "' is none; copy it from what 'pluribus doctor' prints on a host");
    }
    String[] words = m.group(2).substring(1).split("-");
    int[] n = new int[words.length];
    for (int i = 0; i < n.length; i++) {
      n[i] = Integer.parseUnsignedInt(words[i], HEX);
    }
    long capabilities = Long.parseUnsignedLong(m.group(3), HEX);
    return new CpuModel(m.group(1), n[0], n[1], n[2], n[3], n[4], capabilities).masked();
  }
}
