package org.pluribus.transport;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;

/** The secret that all nodes of one VM share and no other node has. Never printed or logged. */
public final class VmKey {
  /** Length of a key. */
  public static final int KEY_BYTES = 32;

  /** Length of what {@link #hash()} gives. */
  public static final int HASH_BYTES = 16;

  private final byte[] secret;

  private VmKey(byte[] secret) {
    this.secret = secret;
  }

  /** A fresh key. */
  public static VmKey random() {
    byte[] secret = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(secret);
    return new VmKey(secret);
  }

  /**
   * A key from its hexadecimal form.
   *
   * @throws IllegalArgumentException if it is not 64 hexadecimal digits; the message doesn't show
   *     it
   */
  public static VmKey ofHex(String hex) {
    byte[] secret;
    try {
      secret = HexFormat.of().parseHex(hex);
    } catch (IllegalArgumentException notHex) {
      throw new IllegalArgumentException("VM key: not hexadecimal");
    }
    if (secret.length != KEY_BYTES) {
      throw new IllegalArgumentException(
          "VM key: has " + hex.length() + " hexadecimal digits, must have " + 2 * KEY_BYTES);
    }
    return new VmKey(secret);
  }

  /** The hexadecimal form, to be handed to other nodes over a protected way only. */
  public String toHex() {
    return HexFormat.of().formatHex(secret);
  }

  /** The first {@link #HASH_BYTES} bytes of the key's SHA-256: shows that one has it. */
  public byte[] hash() {
    try {
      return Arrays.copyOf(MessageDigest.getInstance("SHA-256").digest(secret), HASH_BYTES);
    } catch (NoSuchAlgorithmException impossible) {
      // Every Java platform has SHA-256 (java.security.MessageDigest's documentation).
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public String toString() {
    return "VmKey[hidden]";
  }
}
