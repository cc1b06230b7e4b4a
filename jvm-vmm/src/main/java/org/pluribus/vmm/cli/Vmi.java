package org.pluribus.vmm.cli;

import org.pluribus.vmm.node.EmulatedVm;
import org.pluribus.vmm.node.KvmVm;

/** What runs the vCPUs of a machine on this host, as {@code --vmi} says. */
enum Vmi {
  /** KVM if it runs a guest's kernel natively here, else the emulator, which runs everywhere. */
  AUTO,
  EMULATOR,
  KVM,
  /** Nodes 0, 2, 4... under KVM, the others on the emulator: one machine of two kinds. */
  MIXED;

  /** What runs the vCPUs of node {@code id}; {@link #AUTO} has to be decided first. */
  String of(int id) {
    boolean kvm = this == KVM || this == MIXED && id % 2 == 0;
    return kvm ? KvmVm.NAME : EmulatedVm.NAME;
  }
}
