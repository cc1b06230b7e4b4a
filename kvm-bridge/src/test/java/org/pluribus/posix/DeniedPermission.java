package org.pluribus.posix;

import org.pluribus.kvm.Kvm;
import org.pluribus.uffd.UserfaultFd;

/**
 * Run as another user by {@link DeniedPermissionTest}: tries what needs permission and prints what
 * comes of it, a line each.
 */
final class DeniedPermission {
  private DeniedPermission() {}

  public static void main(String[] args) {
    report(Kvm::open);
    report(UserfaultFd::offered);
    report(() -> {
      Mapping mapping = Mapping.anonymous(64 << 20, Mapping.PROT_READ | Mapping.PROT_WRITE);
      mapping.lock(0, mapping.length());
    });
  }

  private static void report(Runnable action) {
    try {
      action.run();
      System.out.println("allowed");
    } catch (PosixException e) {
      System.out.println(e.getMessage());
    }
  }
}
