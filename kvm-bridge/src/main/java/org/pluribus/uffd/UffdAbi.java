package org.pluribus.uffd;

import org.pluribus.posix.Abi;

/**
 * Sizes, offsets and numbers of the userfaultfd interface, each once; linux/userfaultfd.h (line
 * numbers of linux-libc-dev 6.1). What newer kernels added has a guard.
 */
@Abi.Headers({"stddef.h", "linux/userfaultfd.h"})
final class UffdAbi {
  private UffdAbi() {}

  // ---- Opening; linux/userfaultfd.h:16

  @Abi static final int USERFAULTFD_IOC = 0xAA;
  @Abi static final int UFFD_API = 0xAA;

  // ---- struct uffdio_api; linux/userfaultfd.h:170

  @Abi("sizeof(struct uffdio_api)")
  static final int API_BYTES = 24;

  @Abi("offsetof(struct uffdio_api, features)")
  static final int API_FEATURES = 8;

  // ---- Ranges; linux/userfaultfd.h:241-300. Every struct begins with start and length.

  @Abi("sizeof(struct uffdio_range)")
  static final int RANGE_BYTES = 16;

  @Abi("offsetof(struct uffdio_range, len)")
  static final int RANGE_LENGTH = 8;

  @Abi("sizeof(struct uffdio_register)")
  static final int REGISTER_BYTES = 32;

  @Abi("offsetof(struct uffdio_register, mode)")
  static final int REGISTER_MODE = 16;

  @Abi("offsetof(struct uffdio_register, ioctls)")
  static final int REGISTER_IOCTLS = 24;

  @Abi("sizeof(struct uffdio_writeprotect)")
  static final int WRITEPROTECT_BYTES = 24;

  @Abi("offsetof(struct uffdio_writeprotect, mode)")
  static final int WRITEPROTECT_MODE = 16;

  @Abi("sizeof(struct uffdio_continue)")
  static final int CONTINUE_BYTES = 32;

  @Abi("offsetof(struct uffdio_continue, mode)")
  static final int CONTINUE_MODE = 16;

  @Abi("offsetof(struct uffdio_continue, mapped)")
  static final int CONTINUE_MAPPED = 24;

  @Abi("sizeof(struct uffdio_zeropage)")
  static final int ZEROPAGE_BYTES = 32;

  @Abi("offsetof(struct uffdio_zeropage, mode)")
  static final int ZEROPAGE_MODE = 16;

  @Abi("sizeof(struct uffdio_copy)")
  static final int COPY_BYTES = 40;

  @Abi("offsetof(struct uffdio_copy, src)")
  static final int COPY_SOURCE = 8;

  @Abi("offsetof(struct uffdio_copy, len)")
  static final int COPY_LENGTH = 16;

  @Abi("offsetof(struct uffdio_copy, mode)")
  static final int COPY_MODE = 24;

  @Abi(value = "sizeof(struct uffdio_poison)", guard = "UFFDIO_POISON")
  static final int POISON_BYTES = 32;

  @Abi(value = "offsetof(struct uffdio_poison, mode)", guard = "UFFDIO_POISON")
  static final int POISON_MODE = 16;

  /** Map write-protected; Linux 6.4, absent from older headers. */
  @Abi(guard = "UFFDIO_CONTINUE_MODE_WP")
  static final int UFFDIO_CONTINUE_MODE_WP = 2;

  // ---- struct uffd_msg; linux/userfaultfd.h:96

  @Abi("sizeof(struct uffd_msg)")
  static final int MESSAGE_BYTES = 32;

  @Abi("offsetof(struct uffd_msg, event)")
  static final int MESSAGE_EVENT = 0;

  @Abi("offsetof(struct uffd_msg, arg.pagefault.flags)")
  static final int MESSAGE_FLAGS = 8;

  @Abi("offsetof(struct uffd_msg, arg.pagefault.address)")
  static final int MESSAGE_ADDRESS = 16;

  @Abi("offsetof(struct uffd_msg, arg.pagefault.feat.ptid)")
  static final int MESSAGE_THREAD = 24;
}
